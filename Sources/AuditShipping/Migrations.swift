/// The tables, as numbered steps. `deploy/postgres` has the same as files, for those who make them by hand.
package enum Migrations {
  /// The number of the last.
  package static var latest: Int { steps.count }

  /// The last that shipping and queries need: views are for people.
  static let needed = 1

  /// - Parameter number: from 1.
  package static func script(_ number: Int, schema: String) -> String {
    steps[number - 1].replacing("gatehouse", with: schema)
  }

  private static let steps = [tables, views]

  private static let tables = """
    -- The audit journals of all gateways. Run as the owner of the tables; the gateway itself needs
    -- USAGE on the schema, SELECT on both tables and INSERT on gatehouse.journal only. Whoever only asks
    -- (`audit query --from postgres`) needs USAGE and SELECT.
    DO $$ BEGIN
      IF to_regnamespace('gatehouse') IS NULL THEN CREATE SCHEMA gatehouse; END IF;
    END $$;
    CREATE TABLE IF NOT EXISTS gatehouse.journal_migrations (
      version integer PRIMARY KEY,
      applied timestamptz NOT NULL DEFAULT now()
    );
    CREATE TABLE IF NOT EXISTS gatehouse.journal (
      gateway_id text NOT NULL,
      sequence bigint NOT NULL,
      -- intent, outcome, reconciled or expired; null when the columns could not be filled from the line.
      kind text,
      request_id text,
      time timestamptz,
      tenant text,
      operation text,
      decision text,
      outcome text,
      app_instance_arn text,
      user_id text,
      user_arn text,
      actor text,
      access_key_id text,
      -- Null when jsonb cannot hold it; columns have at most 512 characters of a value.
      record jsonb,
      -- The exact bytes of the journal's line, of which its hash chain is made.
      line bytea NOT NULL,
      shipped timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (gateway_id, sequence)
    );
    CREATE INDEX IF NOT EXISTS journal_request ON gatehouse.journal (request_id);
    CREATE INDEX IF NOT EXISTS journal_time ON gatehouse.journal (time);
    CREATE INDEX IF NOT EXISTS journal_user ON gatehouse.journal (user_id);
    CREATE INDEX IF NOT EXISTS journal_tenant ON gatehouse.journal (tenant, time);
    CREATE INDEX IF NOT EXISTS journal_actor ON gatehouse.journal (actor) WHERE actor IS NOT NULL;
    CREATE INDEX IF NOT EXISTS journal_access_key ON gatehouse.journal (access_key_id);
    CREATE INDEX IF NOT EXISTS journal_user_arn ON gatehouse.journal (user_arn) WHERE user_arn IS NOT NULL;
    CREATE INDEX IF NOT EXISTS journal_operation ON gatehouse.journal (operation, time) WHERE operation IS NOT NULL;
    CREATE INDEX IF NOT EXISTS journal_decision ON gatehouse.journal (decision, time) WHERE decision IS NOT NULL;
    -- Names, and tags as they were received and as they were changed: by hash, as they may be long.
    CREATE INDEX IF NOT EXISTS journal_name ON gatehouse.journal USING gin ((record -> 'name') jsonb_path_ops);
    CREATE INDEX IF NOT EXISTS journal_tags ON gatehouse.journal USING gin ((record -> 'tags') jsonb_path_ops);
    CREATE INDEX IF NOT EXISTS journal_changes ON gatehouse.journal USING gin ((record -> 'changes') jsonb_path_ops);
    CREATE INDEX IF NOT EXISTS journal_without_columns ON gatehouse.journal (gateway_id) WHERE kind IS NULL;
    CREATE INDEX IF NOT EXISTS journal_without_record ON gatehouse.journal (gateway_id) WHERE record IS NULL;
    INSERT INTO gatehouse.journal_migrations (version) VALUES (1) ON CONFLICT DO NOTHING;

    """
}
