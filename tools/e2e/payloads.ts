/** Our own payloads of the three platforms' structure. */
export interface PrometheusAlert {
  name: string;
  service: string;
  startsAt: string;
  endsAt?: string;
  severity?: string;
}

/** An Alertmanager v4 notification with any number of alerts; one with `endsAt` is resolved. */
export const alertmanager = (alerts: PrometheusAlert[]) => ({
  version: '4',
  groupKey: '{}:{alertname="e2e"}',
  truncatedAlerts: 0,
  status: alerts.some(({ endsAt }) => !endsAt) ? 'firing' : 'resolved',
  receiver: 'tocsin',
  groupLabels: {},
  commonLabels: {},
  commonAnnotations: {},
  externalURL: 'http://alertmanager.example:9093',
  alerts: alerts.map(({ name, service, startsAt, endsAt, severity = 'warning' }, index) => ({
    status: endsAt ? 'resolved' : 'firing',
    labels: { alertname: name, service, severity },
    annotations: { summary: `${name} on ${service}` },
    startsAt,
    endsAt: endsAt ?? '0001-01-01T00:00:00Z',
    generatorURL: 'http://prometheus.example:9090/graph',
    fingerprint: Buffer.from(`${name}/${service}`).toString('hex').padEnd(16, '0').slice(0, 48) + index.toString(16),
  })),
});

/** A PagerDuty v3 webhook about one incident. */
export const pagerDutyEvent = (type: string, incident: { id: string; status: string }, at: string) => ({
  event: {
    id: `01E2E${type.replace(/\W/g, '')}${incident.id}`,
    event_type: type,
    resource_type: 'incident',
    occurred_at: at,
    agent: { id: 'PUSER1', type: 'user_reference', summary: 'Somebody' },
    client: null,
    data: {
      id: incident.id,
      type: 'incident',
      self: `https://api.pagerduty.example/incidents/${incident.id}`,
      html_url: `https://acme.pagerduty.example/incidents/${incident.id}`,
      number: 17,
      status: incident.status,
      incident_key: `key-${incident.id}`,
      created_at: at,
      title: 'Disk of db-3 is nearly full',
      service: { id: 'PSVC1', type: 'service_reference', summary: 'orders-db', html_url: null, self: null },
      assignees: [],
      escalation_policy: { id: 'PESC1', type: 'escalation_policy_reference', summary: 'Default' },
      teams: [],
      priority: null,
      urgency: 'high',
      conference_bridge: null,
      resolve_reason: null,
    },
  },
});
