/** The files of the dashboard as they were built, held in memory: what the admin surface serves beside its API. */
export interface DashboardFile {
  readonly type: string;
  readonly raw: Uint8Array;
  readonly gzip: Uint8Array;
  /** With its quotes. */
  readonly etag: string;
}

/** By path: `/index.html`, `/assets/index-D2f1.js`. The names under `/assets/` change with what is in them. */
export type Dashboard = ReadonlyMap<string, DashboardFile>;
