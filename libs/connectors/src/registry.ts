// Written by `node tools/connectors/registry.mjs` from the folders beside it. Do not edit: run it again.
import { registryOf } from './kit/registry-of.ts';
import { source as alertsite } from './alertsite/source.ts';
import { source as appdynamics } from './appdynamics/source.ts';
import { source as azureMonitor } from './azure-monitor/source.ts';
import { source as betterUptime } from './better-uptime/source.ts';
import { source as bigpanda } from './bigpanda/source.ts';
import { source as bitbucket } from './bitbucket/source.ts';
import { source as cloudwatch } from './cloudwatch/source.ts';
import { source as datadog } from './datadog/source.ts';
import { source as dynatrace } from './dynatrace/source.ts';
import { source as elastic } from './elastic/source.ts';
import { source as gcpMonitoring } from './gcp-monitoring/source.ts';
import { source as generic } from './generic/source.ts';
import { source as github } from './github/source.ts';
import { source as gitlab } from './gitlab/source.ts';
import { source as grafana } from './grafana/source.ts';
import { source as grafanaIncident } from './grafana-incident/source.ts';
import { source as harnessBuild } from './harness-build/source.ts';
import { source as harnessDeployment } from './harness-deployment/source.ts';
import { source as harnessSlo } from './harness-slo/source.ts';
import { source as honeycomb } from './honeycomb/source.ts';
import { source as jira } from './jira/source.ts';
import { source as jiraIncident } from './jira-incident/source.ts';
import { source as lacework } from './lacework/source.ts';
import { source as newrelic } from './newrelic/source.ts';
import { source as octopusDeploy } from './octopus-deploy/source.ts';
import { source as opsgenie } from './opsgenie/source.ts';
import { source as pagerduty } from './pagerduty/source.ts';
import { source as pingdom } from './pingdom/source.ts';
import { source as prometheus } from './prometheus/source.ts';
import { source as sentry } from './sentry/source.ts';
import { source as servicenow } from './servicenow/source.ts';
import { source as servicenowIncident } from './servicenow-incident/source.ts';
import { source as splunk } from './splunk/source.ts';
import { source as splunkObservability } from './splunk-observability/source.ts';
import { source as splunkOncall } from './splunk-oncall/source.ts';
import { source as travis } from './travis/source.ts';
import { source as uptimeKuma } from './uptime-kuma/source.ts';
import { source as uptimerobot } from './uptimerobot/source.ts';

export const { connectors, connectorOf, connectorBySlug } = registryOf([
  alertsite,
  appdynamics,
  azureMonitor,
  betterUptime,
  bigpanda,
  bitbucket,
  cloudwatch,
  datadog,
  dynatrace,
  elastic,
  gcpMonitoring,
  generic,
  github,
  gitlab,
  grafana,
  grafanaIncident,
  harnessBuild,
  harnessDeployment,
  harnessSlo,
  honeycomb,
  jira,
  jiraIncident,
  lacework,
  newrelic,
  octopusDeploy,
  opsgenie,
  pagerduty,
  pingdom,
  prometheus,
  sentry,
  servicenow,
  servicenowIncident,
  splunk,
  splunkObservability,
  splunkOncall,
  travis,
  uptimeKuma,
  uptimerobot,
]);
