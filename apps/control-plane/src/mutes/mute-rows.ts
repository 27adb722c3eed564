import type { ConditionDocument, MuteBody, Schedule } from '@tocsin/contracts';
import { Column, Entity } from 'typeorm';
import { ConfigurationRow } from '../entities.ts';

/** What silences and maintenance windows have in common: all but their name. */
export abstract class MuteRow extends ConfigurationRow {
  @Column({ type: 'text' }) comment!: string;
  @Column({ type: 'jsonb', name: 'created_by' }) createdBy!: MuteBody['createdBy'];
  @Column({ type: 'jsonb' }) matchers!: ConditionDocument;
  @Column({ type: 'jsonb' }) schedule!: Schedule;
  /** When it is over; null = it goes on. */
  @Column({ type: 'timestamptz', precision: 3, name: 'ends_at', nullable: true }) endsAt!: Date | null;
}

@Entity({ schema: 'control_plane', name: 'silences' })
export class SilenceRow extends MuteRow {}

@Entity({ schema: 'control_plane', name: 'maintenance_windows' })
export class MaintenanceWindowRow extends MuteRow {}

/** What the configuration feed says of one. */
export const muteBody = ({ name, comment, createdBy, matchers, schedule }: MuteRow): MuteBody => ({
  name,
  comment,
  createdBy,
  matchers,
  schedule,
});
