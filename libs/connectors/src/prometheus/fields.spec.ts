import { describe, expect, it } from 'vitest';
import { sampleContext } from '../kit/expected-result.ts';
import { connectorOf } from '../registry.ts';

const alert = {
  labels: { alertname: 'PodCrashLooping', cluster: 'eu-1', namespace: 'shop', pod: 'cart-1', job: 'kubelet' },
  startsAt: '2026-11-21T08:59:30.120Z',
};
const fieldsOf = (root: unknown) => {
  const bytes = Buffer.from(JSON.stringify(root));
  const result = connectorOf('prometheus')?.normalize({ bytes, contentType: 'application/json' }, sampleContext);
  return result?.kind === 'alerts' ? result.alerts[0]?.fields : undefined;
};

describe('what is kept beside an alert', () => {
  const k8s = { cluster: 'eu-1', namespace: 'shop', pod: 'cart-1', job: 'kubelet' };

  it('sent through an Alertmanager: Kubernetes labels and the group', () =>
    expect(
      fieldsOf({ alerts: [alert], groupKey: '{}:{job="kubelet"}', groupLabels: { job: 'kubelet' }, receiver: 'r' }),
    ).toMatchObject({ k8s, groupKey: '{}:{job="kubelet"}', groupLabels: { job: 'kubelet' }, receiver: 'r' }));

  it('sent by Prometheus itself: Kubernetes labels; there is no group', () => {
    const fields = fieldsOf([alert]);
    expect(fields).toMatchObject({ k8s, labels: alert.labels });
    expect(fields).not.toHaveProperty('groupKey');
  });
});
