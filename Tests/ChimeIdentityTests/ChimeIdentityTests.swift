// ChimeIdentity
