/** Where a database is and how it is spoken with. */
export interface DatabasePlace {
  /** A path from the root: the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  /** Empty: as who the program runs. */
  readonly user: string;
  /** Empty: none is given. */
  readonly password: string;
  readonly database: string;
  /** TLS, with a check of the name and of who signed it. */
  readonly tls: boolean;
}
