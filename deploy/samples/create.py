import boto3

chime = boto3.client("chime-sdk-identity", region_name="us-east-1",
                     endpoint_url="http://127.0.0.1:8080")
instance = "arn:aws:chime:us-east-1:123456789012:app-instance/demo"
print(chime.create_app_instance_user(
    AppInstanceArn=instance, AppInstanceUserId="crm-alice", Name="Alice Example",
    Tags=[{"Key": "CostCenter", "Value": "4711"}])["AppInstanceUserArn"])
try:
    chime.create_app_instance_user(
        AppInstanceArn=instance, AppInstanceUserId="alice", Name="Alice Example")
except chime.exceptions.ForbiddenException as refusal:
    print(refusal)
