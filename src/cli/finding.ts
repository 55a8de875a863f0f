/** What a check found. */
export interface Finding {
  part: string;
  /** False: it does not work, and the command fails. */
  ok: boolean;
  /** It works, and is not as it should be. */
  isWarning?: boolean;
  detail: string;
  advice?: string;
}
