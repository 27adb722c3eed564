const MINUTE = 60_000;

export const STORM = 'a storm';

/** Architecture §9, "Storm", for one scope: when each new key came, looked at anew each time. */
export class PlainStorm {
  /** The one that takes the keys of the storm that goes on. */
  incident: string | null = null;
  private came: number[] = [];
  private lastAbove: number | null = null;

  /** Whether a new key of this time rolls up: above so many a minute, and until five minutes after that. */
  takes(at: number, threshold: number): boolean {
    const goesOn = this.goesOn(at);
    if (!goesOn) this.incident = null;
    this.came.push(at);
    const newest = Math.max(...this.came);
    this.came = this.came.filter((one) => one > newest - MINUTE || one === at);
    const above = this.came.filter((one) => one > at - MINUTE).length > threshold;
    if (above) this.lastAbove = Math.max(at, this.lastAbove ?? at);
    else if (!goesOn) this.lastAbove = null;
    return this.lastAbove !== null;
  }

  goesOnAs = (incident: string | null, at: number): boolean => this.goesOn(at) && this.incident === incident;

  private goesOn = (at: number): boolean => this.lastAbove !== null && at - this.lastAbove <= 5 * MINUTE;
}
