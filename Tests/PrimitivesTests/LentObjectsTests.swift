import Primitives
import Testing

@Suite struct LentObjectsTests {
  private final class Named: Sendable {
    let name: String
    init(_ name: String) { self.name = name }
  }

  @Test func itsObjectsLiveAsLongAsItDoes() {
    weak var first: Named?
    do {
      let objects = LentObjects(["a", "b", "c"].map(Named.init))
      first = objects.array[0]
      #expect(objects.indices.map { index in objects.with(index) { $0.name } } == ["a", "b", "c"])
      #expect(first != nil && !objects.isEmpty)
    }
    #expect(first == nil)
    #expect(LentObjects<Named>([]).isEmpty)
  }
}
