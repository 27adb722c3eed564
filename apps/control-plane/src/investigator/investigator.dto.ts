import { IsInt, IsString, Length, Matches, Max, Min } from 'class-validator';
import { CLEAN_TEXT, Optional } from '../fields.ts';

const clean = { message: '$property must not contain control characters such as line breaks' };

export class PutInvestigator {
  /** Where investigations are asked for. */
  @IsString() @Length(1, 2_000) url!: string;
  /** Of the signature; default: the one before, or a new one, which is shown once. The old one signs for another 24 hours. */
  @Optional() @IsString() @Length(16, 500) @Matches(CLEAN_TEXT, clean) secret?: string;
  /** From connecting to the response headers. */
  @Optional() @IsInt() @Min(1) @Max(120) timeout_seconds?: number;
  /** Without a word for so long an investigation has failed. */
  @Optional() @IsInt() @Min(1) @Max(1_440) result_minutes?: number;
}
