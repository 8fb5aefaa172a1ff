internal import CLibevent

/// What the process keeps resident beyond what it uses: glibc's heap keeps what was freed, and a start reads pages of the
/// program that serving never looks at again.
package enum ProcessMemory {
  /// Keeps glibc from making eight heaps a core, one after the other as threads meet, each with its own leftovers. Call it
  /// before there are threads.
  /// - Parameter count: about as many as there are threads that allocate at the same time.
  package static func limitHeaps(to count: Int) { gh_limit_heaps(Int32(clamping: count)) }

  /// Leaves no core when the process crashes, and lets no other of the same user look into it: memory holds secrets.
  package static func refuseDumps() { gh_refuse_dumps() }

  /// Gives what was freed back to the kernel.
  package static func releaseFreed() { gh_release_freed() }

  /// Unmaps the pages of the program and its libraries that cannot have been changed: symbol tables, relocations, code. Those
  /// which are needed again come back from the page cache, without a read.
  package static func releaseProgramPages() { gh_release_program_pages() }
}
