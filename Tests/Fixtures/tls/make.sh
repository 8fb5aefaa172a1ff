#!/usr/bin/env bash
# Makes a throw-away certificate authority and the certificates that tests use, in the folder given.
#
#   ca.pem                     signs all but other-*
#   server.pem, server.key     localhost, 127.0.0.1 (server)
#   client.pem, client.key     URI:spiffe://corp.example/crm (client)
#   stranger.pem, stranger.key URI:spiffe://corp.example/stranger (client)
#   dns-client.pem, .key       DNS:crm.corp.example (client)
#   loud-client.pem, .key      DNS:CRM.Corp.Example (client)
#   posing-client.pem, .key    DNS:spiffe://corp.example/crm, a DNS name that reads like a URI (client)
#   small, sha1, expired (.pem, .key)    localhost (server): RSA of 1024 bits; signed with SHA-1; ended yesterday
#   wrong-name.pem, .key       elsewhere.example (server)
#   other-ca.pem, other-server.pem, other-client.pem, *.key    the same names from an authority nobody trusts
set -euo pipefail
out=${1:?usage: make.sh FOLDER}
mkdir -p "$out"
cd "$out"

quietly() {
  local said
  said=$("$@" 2>&1) || { printf '%s\n' "$said" >&2; return 1; }
}

authority() { # NAME
  quietly openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
    -subj "/CN=Gatehouse test $1" -addext basicConstraints=critical,CA:TRUE \
    -addext keyUsage=critical,keyCertSign,cRLSign -keyout "$1.key" -out "$1.pem"
}

leaf() { # AUTHORITY NAME serverAuth|clientAuth SUBJECT-ALTERNATIVE-NAMES
  quietly openssl req ${key:--newkey ec -pkeyopt ec_paramgen_curve:P-256} -nodes -subj "/CN=$2" \
    -keyout "$2.key" -out "$2.csr"
  printf 'subjectAltName=%s\nextendedKeyUsage=%s\nbasicConstraints=critical,CA:FALSE\n' "$4" "$3" >"$2.ext"
  quietly openssl x509 -req -in "$2.csr" -CA "$1.pem" -CAkey "$1.key" -CAcreateserial -days "${days:-30}" ${sign:-} \
    -extfile "$2.ext" -out "$2.pem"
  rm "$2.csr" "$2.ext"
}

authority ca
leaf ca server serverAuth DNS:localhost,IP:127.0.0.1
leaf ca wrong-name serverAuth DNS:elsewhere.example
leaf ca client clientAuth URI:spiffe://corp.example/crm
leaf ca stranger clientAuth URI:spiffe://corp.example/stranger
leaf ca dns-client clientAuth DNS:crm.corp.example
leaf ca loud-client clientAuth DNS:CRM.Corp.Example
leaf ca posing-client clientAuth DNS:spiffe://corp.example/crm
key='-newkey rsa:1024' leaf ca small serverAuth DNS:localhost
sign=-sha1 leaf ca sha1 serverAuth DNS:localhost
days=-1 leaf ca expired serverAuth DNS:localhost
authority other-ca
leaf other-ca other-server serverAuth DNS:localhost,IP:127.0.0.1
leaf other-ca other-client clientAuth URI:spiffe://corp.example/crm
