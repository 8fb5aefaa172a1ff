internal import Primitives
internal import StrictJSON

/// What CreateAppInstance asks for.
struct CreateAppInstanceRequest: TokenedRequest {
  let name: Text
  let metadata: Text?
  let token: Text
  let tags: [Tag]

  init(_ body: RequestBody) throws(SandboxFailure) {
    name = body.text("Name")
    metadata = body.optionalText("Metadata")
    token = try body.clientRequestToken()
    tags = body.tags
  }
}

/// What CreateAppInstanceUser asks for.
struct CreateUserRequest: TokenedRequest {
  let appInstanceArn: Text
  let userId: Text
  let name: Text
  let metadata: Text?
  let token: Text
  let tags: [Tag]
  let expirationDays: Int?

  init(_ body: RequestBody) throws(SandboxFailure) {
    appInstanceArn = body.text("AppInstanceArn")
    userId = body.text("AppInstanceUserId")
    name = body.text("Name")
    metadata = body.optionalText("Metadata")
    token = try body.clientRequestToken()
    tags = body.tags
    expirationDays = body.expirationDays
  }
}

/// What CreateAppInstanceBot asks for.
struct CreateBotRequest: TokenedRequest {
  let appInstanceArn: Text
  let name: Text?
  let metadata: Text?
  let token: Text
  let tags: [Tag]
  let configuration: LexConfiguration

  init(_ body: RequestBody) throws(SandboxFailure) {
    appInstanceArn = body.text("AppInstanceArn")
    name = body.optionalText("Name")
    metadata = body.optionalText("Metadata")
    token = try body.clientRequestToken()
    tags = body.tags
    configuration = LexConfiguration(body.object("Configuration"))
  }
}

/// Which bot of Amazon Lex an AppInstanceBot is, and what wakes it. It is given back as it came: AWS does not say what
/// wakes a bot of which neither RespondsTo nor InvokedBy is given.
struct LexConfiguration: Hashable, Sendable {
  let respondsTo: Text?
  let invokedBy: InvokedBy?
  let botAliasArn: Text
  let localeId: Text
  let welcomeIntent: Text?

  struct InvokedBy: Hashable, Sendable {
    let standardMessages: Text
    let targetedMessages: Text
  }

  /// - Parameter body: the member `Configuration`.
  init(_ body: RequestBody) {
    let lex = body.object("Lex")
    respondsTo = lex.optionalText("RespondsTo")
    let invokedBy = lex.object("InvokedBy")
    self.invokedBy = invokedBy.optionalText("StandardMessages").map {
      InvokedBy(standardMessages: $0, targetedMessages: invokedBy.text("TargetedMessages"))
    }
    botAliasArn = lex.text("LexBotAliasArn")
    localeId = lex.text("LocaleId")
    welcomeIntent = lex.optionalText("WelcomeIntent")
  }
}

/// What RegisterAppInstanceUserEndpoint asks for.
struct RegisterEndpointRequest: TokenedRequest {
  let name: Text?
  let type: Text
  let resourceArn: Text
  let deviceToken: Text
  let voipDeviceToken: Text?
  let allowMessages: Text?
  let token: Text

  init(_ body: RequestBody) throws(SandboxFailure) {
    name = body.optionalText("Name")
    type = body.text("Type")
    resourceArn = body.text("ResourceArn")
    let attributes = body.object("EndpointAttributes")
    deviceToken = attributes.text("DeviceToken")
    voipDeviceToken = attributes.optionalText("VoipDeviceToken")
    allowMessages = body.optionalText("AllowMessages")
    token = try body.clientRequestToken()
  }
}
