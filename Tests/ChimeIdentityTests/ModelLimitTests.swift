import ChimeIdentity
import Primitives
import Testing

@Suite struct ModelLimitTests {
  /// As the API reference has them: CreateAppInstanceUser, Tag, ExpirationSettings.
  @Test func limitsAreThoseOfTheAPIReference() {
    #expect(ModelLimits.userID == 1...64)
    #expect(ModelLimits.userName == 1...100)
    #expect(ModelLimits.metadata == 0...1024)
    #expect(ModelLimits.tagKey == 1...128)
    #expect(ModelLimits.tagValue == 1...256)
    #expect(ModelLimits.tagCount == 1...50)
    #expect(ModelLimits.expirationDays == 1...5475)
  }
}
