// Rows of the plain model, as it keeps them in lists.

export interface Attached {
  id: string;
  incident: string;
  webhook: string;
  key: string;
  resolveKey: string;
  severity: string;
  firing: string | null;
  open: boolean;
  firstSeen: number;
  lastSeen: number;
}

export interface Incident {
  name: string;
  openedBy: string;
  version: number;
  live: boolean;
  acknowledged: boolean;
  /** Later changes than this are news to a closed incident. */
  asOf: number;
  closings: number;
  updatedAt: number;
  lastAlertAt: number;
  severity: string;
  title: string;
  services: string[];
  tags: string[];
  mergedInto: string | null;
}

export interface Holder {
  webhook: string;
  key: string;
  resolveKey: string;
  alert: string;
  incident: string;
}
