// Ids and credentials as the examples show them. The end-to-end test puts those of a running installation in their place, so that
// every example is sent as it is written.

const id = (prefix: string): string =>
  `${prefix}_${'abcdefghijklmnopqrstuvwxyz234567'.repeat(2).slice(prefix.charCodeAt(0) % 32, (prefix.charCodeAt(0) % 32) + 26)}`;

export const ids = {
  workspace: id('ws'),
  webhook: id('whk'),
  subscription: id('sub'),
  pulling: `${id('sub').slice(0, -1)}3`,
  delivery: id('dlv'),
  feedCursor: 'ZjEwMDIuMjA1MQ',
  incident: id('inc'),
  otherIncident: `${id('inc').slice(0, -1)}3`,
  mergedIncident: `${id('inc').slice(0, -1)}4`,
  duplicateIncident: `${id('inc').slice(0, -1)}6`,
  mixedIncident: `${id('inc').slice(0, -1)}5`,
  receipt: id('rcv'),
  alert: id('alr'),
  mixedAlert: `${id('alr').slice(0, -1)}3`,
  mixedAlert2: `${id('alr').slice(0, -1)}4`,
  recordedAlert: `${id('alr').slice(0, -1)}7`,
  deadLetter: id('dlt'),
  syncLink: id('syn'),
  silence: id('sil'),
  maintenanceWindow: id('mnt'),
  service: id('svc'),
  agentIncident: `${id('inc').slice(0, -1)}7`,
  investigation: id('rca'),
  recommendation: id('rec'),
  notification: id('ntf'),
  apiKey: 'k7m2q5x3n4p6r2ta',
  webhookToken: 'm4t7q2x5n3p6r2ta7k5w3y6zbm',
  queryToken: 'q4t7q2x5n3p6r2ta7k5w3y6zbm',
  eventsToken: 'e4t7q2x5n3p6r2ta7k5w3y6zbm',
  alertmanagerToken: 'a4t7q2x5n3p6r2ta7k5w3y6zbm',
  soon: '2026-12-01T09:00:00.000Z',
  webhookSecret: 'whsec-of-the-example-webhook',
} as const;
