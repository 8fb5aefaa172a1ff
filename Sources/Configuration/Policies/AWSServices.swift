/// The prefixes that resource types of AWS's services have, `ec2` or `cognito-idp`: the signing names and endpoint
/// prefixes of the service models in botocore 1.43.11, and those that AWS's documents on tags use besides. The list
/// serves to tell a slip from a name, and need not be whole: a service that is not in it is only warned about.
enum AWSServices {
  static let prefixes = list.split(whereSeparator: \.isWhitespace).map(String.init)

  private static let list = """
    access-analyzer account acm acm-pca aco-automation agreement-marketplace aidevops aiops airflow
    airflow-serverless amplify amplifybackend amplifyuibuilder aoss apigateway app-integrations appconfig
    appconfigdata appfabric appflow application-autoscaling application-cost-profiler application-signals
    applicationinsights appmesh apprunner appstream appstream2 appsync aps arc-region-switch arc-zonal-shift
    artifact athena auditmanager autoscaling autoscaling-plans aws-marketplace awsssoportal b2bi backup
    backup-gateway backup-search batch bcm-dashboards bcm-data-exports bcm-pricing-calculator
    bcm-recommended-actions bedrock bedrock-agent bedrock-agent-runtime bedrock-agentcore
    bedrock-agentcore-control bedrock-data-automation bedrock-data-automation-runtime bedrock-runtime
    billing billingconductor braket budgets bugbust cases cassandra cassandra-streams ce chatbot chime
    cleanrooms cleanrooms-ml cloud9 cloudcontrolapi clouddirectory cloudformation cloudfront
    cloudfront-keyvaluestore cloudhsm cloudhsmv2 cloudsearch cloudsearchdomain cloudtrail cloudtrail-data
    cloudwatch codeartifact codebuild codecatalyst codecommit codeconnections codedeploy codeguru-profiler
    codeguru-reviewer codeguru-security codepipeline codestar-connections codestar-notifications
    cognito-identity cognito-idp cognito-sync comprehend comprehendmedical compute-optimizer config connect
    connect-campaigns contact-lens controlcatalog controltower cost-optimization-hub cur data-signer
    databrew dataexchange datapipeline datasync datazone dax deadline deployment-marketplace detective
    devicefarm devops-guru diode-messaging directconnect discovery discovery-marketplace dlm dms docdb
    docdb-elastic drs ds ds-data dsql dynamodb ebs ec2 ec2-instance-connect ecr ecr-public ecs eks eks-auth
    elastic-inference elasticache elasticbeanstalk elasticfilesystem elasticloadbalancing elasticmapreduce
    elemental-inference email emr-containers emr-serverless entityresolution es events evidently evs
    execute-api finspace finspace-api firehose fis fms forecast forecastquery frauddetector freetier fsx
    gamelift gameliftstreams geo geo-maps geo-places geo-routes glacier globalaccelerator glue grafana
    greengrass groundstation guardduty health health-agent healthlake iam identitystore imagebuilder
    importexport inspector inspector-scan inspector2 interconnect internetmonitor invoicing iot
    iot-jobs-data iotanalytics iotdata iotdeviceadvisor iotevents ioteventsdata iotfleethub iotfleetwise
    iotmanagedintegrations iotroborunner iotsitewise iotthingsgraph iottwinmaker iotwireless ivs ivschat
    ivsrealtime kafka kafkaconnect kendra kendra-ranking kinesis kinesisanalytics kinesisvideo kms
    lakeformation lambda launchwizard lex license-manager license-manager-linux-subscriptions
    license-manager-user-subscriptions lightsail logs lookoutequipment lookoutmetrics lookoutvision m2
    machinelearning macie2 mail-manager managedblockchain managedblockchain-query
    marketplacecommerceanalytics mediaconnect mediaconvert medialive mediapackage mediapackage-vod
    mediapackagev2 mediastore mediatailor medical-imaging memory-db memorydb mgh mgn migrationhub-config
    migrationhub-orchestrator migrationhub-strategy mobilehub mobiletargeting models-v2-lex monitoring mpa
    mq mturk-requester neptune neptune-db neptune-graph network-firewall networkflowmonitor networkmanager
    networkmonitor notifications notifications-contacts nova-act oam observabilityadmin odb oidc omics
    opsworks organizations osis outposts panorama partnercentral partnercentral-account
    partnercentral-benefits partnercentral-channel partnercentral-selling payment-cryptography
    pca-connector-ad pca-connector-scep pcs personalize personalize-events personalize-runtime pi pinpoint
    pipes polly pricing profile proton qapps qbusiness qldb quicksight ram rbin rds rds-data redshift
    redshift-data redshift-serverless refactor-spaces rekognition reporting-marketplace repostspace
    resiliencehub resource-explorer-2 resource-groups robomaker rolesanywhere route53
    route53-recovery-cluster route53-recovery-control route53-recovery-control-config
    route53-recovery-readiness route53domains route53globalresolver route53profiles route53resolver
    rtbfabric rum runtime-v2-lex s3 s3-control s3-outposts s3files s3tables s3vectors sagemaker
    sagemaker-geospatial savingsplans scheduler schemas scn sdb secretsmanager security-ir securityagent
    securityhub securitylake serverlessrepo servicecatalog servicecatalog-appregistry servicediscovery
    servicequotas ses shield signer signin simspaceweaver sms-voice snow-device-management snowball sns
    social-messaging sqs ssm ssm-contacts ssm-guiconnect ssm-incidents ssm-quicksetup ssm-sap sso sso-oauth
    states storagegateway sts support supportapp sustainability swf synthetics tagging tax textract
    thinclient timestream timestream-influxdb tnb transcribe transfer translate trustedadvisor uxc
    verifiedpermissions voiceid vpc-lattice waf waf-regional wafv2 wellarchitected wickr wisdom workdocs
    worklink workmail workmailmessageflow workspaces workspaces-instances workspaces-web xray
    """
}
