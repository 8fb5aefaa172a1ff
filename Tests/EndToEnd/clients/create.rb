# Creates one user with Ruby's own HTTP and the signer of the AWS SDK for Ruby, and prints as JSON what came of it.
require "aws-sigv4"
require "json"
require "net/http"

url = URI.join(ARGV[0], "/app-instance-users")
signer = Aws::Sigv4::Signer.new(
  service: "chime", region: "us-east-1",
  access_key_id: ENV.fetch("AWS_ACCESS_KEY_ID"), secret_access_key: ENV.fetch("AWS_SECRET_ACCESS_KEY")
)
request = Net::HTTP::Post.new(url)
request["Content-Type"] = "application/json"
request.body = ARGV[1]
signature = signer.sign_request(
  http_method: "POST", url: url.to_s, headers: { "Content-Type" => "application/json" }, body: request.body
)
signature.headers.each { |name, value| request[name] = value }
response = Net::HTTP.start(url.host, url.port, nil) { |http| http.request(request) }
body = JSON.parse(response.body)
puts JSON.generate(
  arn: body["AppInstanceUserArn"] || "", code: response["x-amzn-errortype"] || "",
  message: body["message"] || body["Message"] || "", status: response.is_a?(Net::HTTPSuccess) ? 0 : response.code.to_i
)
