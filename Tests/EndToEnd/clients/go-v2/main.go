// Creates one user with the AWS SDK for Go v2, and prints as JSON what came of it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/chimesdkidentity"
	"github.com/aws/smithy-go"
)

type result struct {
	Arn     string `json:"arn"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Status  int    `json:"status"`
}

func main() {
	settings, err := config.LoadDefaultConfig(context.Background(), config.WithRegion("us-east-1"))
	if err != nil {
		panic(err)
	}
	endpoint := chimesdkidentity.WithEndpointResolver(chimesdkidentity.EndpointResolverFromURL(os.Args[1]))
	client := chimesdkidentity.NewFromConfig(settings, endpoint)
	var input chimesdkidentity.CreateAppInstanceUserInput
	if err := json.Unmarshal([]byte(os.Args[2]), &input); err != nil {
		panic(err)
	}
	output, err := client.CreateAppInstanceUser(context.Background(), &input)
	var told result
	var failure smithy.APIError
	if err == nil {
		told.Arn = aws.ToString(output.AppInstanceUserArn)
	} else if errors.As(err, &failure) {
		told.Code, told.Message = failure.ErrorCode(), failure.ErrorMessage()
		var response *awshttp.ResponseError
		if errors.As(err, &response) {
			told.Status = response.HTTPStatusCode()
		}
	} else {
		panic(err)
	}
	json.NewEncoder(os.Stdout).Encode(told)
}
