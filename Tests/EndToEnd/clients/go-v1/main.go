// Creates one user with the AWS SDK for Go v1, and prints as JSON what came of it.
package main

import (
	"encoding/json"
	"os"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/awserr"
	"github.com/aws/aws-sdk-go/aws/session"
	"github.com/aws/aws-sdk-go/service/chimesdkidentity"
)

type result struct {
	Arn     string `json:"arn"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Status  int    `json:"status"`
}

func main() {
	config := aws.NewConfig().WithEndpoint(os.Args[1]).WithRegion("us-east-1")
	client := chimesdkidentity.New(session.Must(session.NewSession(config)))
	var input chimesdkidentity.CreateAppInstanceUserInput
	if err := json.Unmarshal([]byte(os.Args[2]), &input); err != nil {
		panic(err)
	}
	output, err := client.CreateAppInstanceUser(&input)
	var told result
	if err == nil {
		told.Arn = aws.StringValue(output.AppInstanceUserArn)
	} else if failure, ok := err.(awserr.Error); ok {
		told.Code, told.Message = failure.Code(), failure.Message()
		if failure, ok := err.(awserr.RequestFailure); ok {
			told.Status = failure.StatusCode()
		}
	} else {
		panic(err)
	}
	json.NewEncoder(os.Stdout).Encode(told)
}
