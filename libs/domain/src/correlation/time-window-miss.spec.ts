import { describe, expect, it } from 'vitest';
import { wantedTerms } from './wanted-terms.ts';
import { aConfig, anAlert, minute, openedBy, Scenario } from './scenario.ts';

const HOURS_24 = 24 * 60;
const step = (answer: ReturnType<Scenario['alert']>) => answer.why.tried.find((one) => one.step === 'time-window');

describe('what the time window missed', () => {
  it('is named with the condition that failed: its last alert was before the window', () => {
    const scenario = new Scenario().given(
      anAlert('a', 0, { services: ['db'] }),
      anAlert('b', 3, { services: ['api'] }),
    );
    expect(step(scenario.alert(anAlert('c', 9, { services: ['web', 'db', 'api'] })))).toMatchObject({
      result: 'miss',
      detail: 'no-active-incident',
      evidence: {
        windowMinutes: 5,
        nearest: {
          incidentId: openedBy('b'), // the most recently active of the two
          matchedService: 'api',
          incidentLastAlertAt: minute(3),
          incidentOpenedAt: minute(3),
          failed: 'last-alert-before-window',
        },
      },
    });
  });

  it('is named where it is active, but opened too long ago', () => {
    const scenario = new Scenario().given(anAlert('a', 0, { services: ['db'] }));
    for (let at = 4; at <= HOURS_24; at += 4) scenario.alert(anAlert(`m${at}`, at, { services: ['db'] }));
    expect(step(scenario.alert(anAlert('z', HOURS_24 + 1, { services: ['db'] })))).toMatchObject({
      evidence: { nearest: { incidentId: openedBy('a'), failed: 'opened-too-long-ago' } },
    });
  });

  it('is nothing where no incident shares a value, or none was active for a day', () => {
    const other = new Scenario().given(anAlert('a', 0, { services: ['db'] }));
    expect(step(other.alert(anAlert('b', 9, { services: ['web'] })))?.evidence).not.toHaveProperty('nearest');
    const old = new Scenario().given(anAlert('a', 0, { services: ['db'] }));
    const late = anAlert('b', HOURS_24 + 1, { services: ['db'] });
    expect(step(old.alert(late))?.evidence).not.toHaveProperty('nearest');
  });

  it('is looked up where candidates come from a table, too', () => {
    const alert = anAlert('a', HOURS_24, { services: ['db'] });
    const [wanted] = wantedTerms(alert, aConfig());
    expect(wanted).toEqual({ term: 'service db', since: Date.parse(minute(0)) });
    const wide = wantedTerms(alert, aConfig({ windowMinutes: 2 * HOURS_24 }));
    expect(wide).toEqual([{ term: 'service db', since: Date.parse(minute(-HOURS_24)) }]);
  });
});
