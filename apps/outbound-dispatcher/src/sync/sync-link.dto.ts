import { Transform } from 'class-transformer';
import { IsIn, IsInt, IsString, Matches, Max, MaxLength, Min, ValidateIf } from 'class-validator';

const Optional = (): PropertyDecorator => ValidateIf((_given, value) => value !== undefined);

export class SyncLinkPath {
  @Matches(/^[a-z0-9_]{1,100}$/, { message: 'id must be an id, e.g. syn_…' }) id!: string;
}

export const entryStates = ['pending', 'linked', 'failing'] as const;
export type EntryState = (typeof entryStates)[number];

/** Entries of a link, the newest first. */
export class EntriesQuery {
  @Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value,
  )
  @IsInt()
  @Min(1)
  @Max(200)
  limit = 50;

  @Optional() @IsString() @MaxLength(200) cursor?: string;
  /** Of one incident. */
  @Optional() @Matches(/^inc_[a-z2-7]{26}$/) incident_id?: string;
  /** `pending`: not there yet. `failing`: the last thing could not be done. */
  @Optional() @IsIn(entryStates) state?: EntryState;
}
