/** The parts of one scope: a correlator and an incident-store. The real ones and the plain ones are driven alike. */
export interface Parts<Decision, Fact> {
  decide(alert: number): Decision;
  learn(fact: Fact): void;
  settle(items: readonly { alert: number; decision: Decision }[]): Fact[];
  command(kind: 'close' | 'reopen', incident: string, at: number): Fact[];
  merge(incident: string, into: string, at: number): Fact[];
  /** Where an alert is by now. */
  incidentOf(alert: number): string | null;
  isLive(incident: string): boolean;
}

type Input<Fact> = { alert: number } | { fact: Fact };

/**
 * The two logs between the parts, and how far each reader is: alerts and facts go to the correlator, its decisions to the
 * incident-store, in order, as late as the history wants.
 */
export class Site<Decision, Fact> {
  private readonly inputs: Input<Fact>[] = [];
  private heard = 0;
  private readonly decided: { alert: number; decision: Decision }[] = [];
  private settledUpTo = 0;
  private readonly facts: Fact[] = [];

  constructor(private readonly parts: Parts<Decision, Fact>) {}

  receive(alert: number): void {
    this.inputs.push({ alert });
  }

  /** The correlator reads so many inputs. */
  correlate(count: number): void {
    for (const end = Math.min(this.inputs.length, this.heard + count); this.heard < end; this.heard++) {
      const input = this.inputs[this.heard] as Input<Fact>;
      if ('fact' in input) this.parts.learn(input.fact);
      else this.decided.push({ alert: input.alert, decision: this.parts.decide(input.alert) });
    }
  }

  /** The incident-store takes so many decisions as one batch. */
  settle(count: number): void {
    const batch = this.decided.slice(this.settledUpTo, this.settledUpTo + count);
    this.settledUpTo += batch.length;
    if (batch.length > 0) this.say(this.parts.settle(batch));
  }

  command(kind: 'close' | 'reopen', alert: number, at: number): void {
    const incident = this.parts.incidentOf(alert);
    if (incident !== null) this.say(this.parts.command(kind, incident, at));
  }

  /** A person makes one incident of those of two alerts; the other one's stays. */
  merge(alert: number, into: number, at: number): void {
    const [incident, survivor] = [this.parts.incidentOf(alert), this.parts.incidentOf(into)];
    if (incident !== null && survivor !== null) this.say(this.parts.merge(incident, survivor, at));
  }

  /** A fact comes again. */
  repeatFact(index: number): void {
    const fact = this.facts[index % Math.max(1, this.facts.length)];
    if (fact) this.inputs.push({ fact });
  }

  /** Until nobody has anything left to read. */
  drain(): void {
    while (this.heard < this.inputs.length || this.settledUpTo < this.decided.length) {
      this.correlate(Infinity);
      this.settle(Infinity);
    }
  }

  /** The final incidents: which alerts each has, and whether it is open. Names of incidents say nothing. */
  outcome(alerts: number): string {
    const groups = new Map<string, number[]>();
    for (let alert = 0; alert < alerts; alert++) {
      const incident = this.parts.incidentOf(alert);
      if (incident !== null) groups.set(incident, [...(groups.get(incident) ?? []), alert]);
    }
    return [...groups]
      .map(([name, members]) => `${members.join(' ')}${this.parts.isLive(name) ? '' : ' closed'}`)
      .join('\n');
  }

  private say(facts: readonly Fact[]): void {
    for (const fact of facts) {
      this.facts.push(fact);
      this.inputs.push({ fact });
    }
  }
}
