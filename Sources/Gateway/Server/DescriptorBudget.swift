/// How the descriptors that a process may have are shared out, so that callers never take those of the journal, the log
/// or upstream: whatever opens a file while serving finds one.
struct DescriptorBudget: Equatable {
  struct Wishes: Equatable {
    var connections: Int
    var upstream: Int
    var admin: Int

    var total: Int { connections + upstream + admin }
  }

  struct TooFew: Error, Equatable {
    let descriptors: Int
    let needed: Int
  }

  /// What is granted: the wishes, or less.
  let granted: Wishes

  /// What is opened for a while: a new segment of the journal and its checkpoint, the index and its segments, a reload's
  /// files, lookups of names.
  private static let reserve = 16
  /// SQLite's files, what Dispatch keeps, the sockets that tell of signals.
  private static let background = 10
  /// The loop's epoll and eventfd.
  private static let perLoop = 2
  /// The socket, and the descriptor that is given up when all others are gone.
  private static let perListener = 2

  /// - Parameters:
  ///   - limit: the most that the process may have.
  ///   - inUse: those open before loops and listeners are made.
  ///   - listeners: sockets that listen, over all loops.
  init(
    limit: Int, inUse: Int, loops: Int, regions: Int = 1, listeners: Int, wishes: Wishes
  ) throws(TooFew) {
    let fixed =
      inUse + Self.background + loops * Self.perLoop + listeners * Self.perListener + Self.reserve
    let free = limit - fixed
    guard free < wishes.total else {
      granted = wishes
      return
    }
    // Each loop has its own connections to each region.
    let upstream = min(wishes.upstream, max(loops * regions, free / 8))
    let admin = min(wishes.admin, max(2, free / 16))
    let connections = free - upstream - admin
    guard connections > 0 else {
      throw TooFew(descriptors: limit, needed: fixed + loops * regions + 2 + 1)
    }
    granted = Wishes(connections: min(wishes.connections, connections), upstream: upstream, admin: admin)
  }
}
