-- The ledger of version 1.0.0. A contact is one row of wolkvox.codification; the other tables say how it got there.
-- docs/ledger.md is generated from the comments.

CREATE TABLE wolkvox.codification (
    id bigint GENERATED ALWAYS AS IDENTITY,
    contact_key uuid NOT NULL,
    operation text NOT NULL,
    type_campaign text,
    campaign_id text,
    customer_id text,
    cod_act text,
    cod_act_2 text,
    comment text,
    contacted_at timestamptz,
    state text NOT NULL DEFAULT 'pending',
    attempts integer NOT NULL DEFAULT 0,
    reason text,
    response_code text,
    response_msg text,
    staged_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz,
    settled_at timestamptz,
    dag_run_id text,
    chunk_id text,
    slot text,
    chunk_number integer,
    not_before timestamptz,
    dag_id text,
    channel text,
    direct boolean,
    audited_at timestamptz,
    confirmed_at timestamptz,
    audit text,
    shown text,
    protected_until timestamptz,
    hold_id bigint,
    PRIMARY KEY (id),
    CONSTRAINT codification_contact_key UNIQUE (contact_key),
    CONSTRAINT codification_attempts_check CHECK (attempts >= 0),
    CONSTRAINT codification_audit_check CHECK (audit IN ('mismatch', 'missing', 'overtaken', 'open_again')),
    CONSTRAINT codification_settled_at_check CHECK ((state IN ('pending', 'sending')) = (settled_at IS NULL)),
    CONSTRAINT codification_state_check CHECK (
        state IN ('pending', 'sending', 'coded', 'rejected', 'failed', 'invalid', 'superseded', 'expired', 'held')
    ),
    CONSTRAINT codification_type_check CHECK (state = 'invalid' OR type_campaign IN ('preview', 'predictive'))
) WITH (fillfactor = 85);
CREATE INDEX codification_campaign
ON wolkvox.codification (operation, campaign_id, state, least(contacted_at, staged_at), id)
WHERE state NOT IN ('pending', 'sending');
CREATE INDEX codification_customer
ON wolkvox.codification (customer_id, campaign_id, type_campaign, operation, contacted_at, id)
WHERE state NOT IN ('pending', 'sending');
CREATE INDEX codification_deferred ON wolkvox.codification (operation, sent_at)
WHERE state = 'pending' AND not_before IS NOT NULL;
CREATE INDEX codification_reason
ON wolkvox.codification (operation, reason, state, least(contacted_at, staged_at), id)
WHERE state NOT IN ('pending', 'sending') AND reason IS NOT NULL;
CREATE INDEX codification_run ON wolkvox.codification (dag_run_id, chunk_id);
CREATE INDEX codification_sending ON wolkvox.codification (slot) WHERE state = 'sending';
CREATE INDEX codification_settled ON wolkvox.codification (operation, settled_at) WHERE settled_at IS NOT NULL;
CREATE INDEX codification_staged ON wolkvox.codification USING brin (staged_at);
CREATE INDEX codification_state ON wolkvox.codification (operation, state, least(contacted_at, staged_at), id)
WHERE state NOT IN ('pending', 'sending');
CREATE INDEX codification_waiting
ON wolkvox.codification (operation, contacted_at DESC, id DESC)
INCLUDE (customer_id, type_campaign, campaign_id, cod_act, not_before)
WHERE state = 'pending';
COMMENT ON TABLE wolkvox.codification IS 'one row per contact';
COMMENT ON COLUMN wolkvox.codification.id IS 'in the order in which contacts came in';
COMMENT ON COLUMN wolkvox.codification.contact_key IS
'digest of what identifies the contact: pulled twice, it is one row; its first 8 digits are the second of contacted_at';
COMMENT ON COLUMN wolkvox.codification.operation IS 'name of the operation';
COMMENT ON COLUMN wolkvox.codification.type_campaign IS 'preview or predictive';
COMMENT ON COLUMN wolkvox.codification.campaign_id IS 'campaign of the dialler';
COMMENT ON COLUMN wolkvox.codification.customer_id IS 'customer, by the id that the dialler has: personal data';
COMMENT ON COLUMN wolkvox.codification.cod_act IS 'disposition code';
COMMENT ON COLUMN wolkvox.codification.cod_act_2 IS 'second disposition code';
COMMENT ON COLUMN wolkvox.codification.comment IS 'free text that is sent with the code: personal data';
COMMENT ON COLUMN wolkvox.codification.contacted_at IS 'when the customer was reached';
COMMENT ON COLUMN wolkvox.codification.state IS
'pending, sending, coded, rejected, failed, invalid, superseded, expired or held';
COMMENT ON COLUMN wolkvox.codification.attempts IS 'requests made for it, those that are no attempts left out';
COMMENT ON COLUMN wolkvox.codification.reason IS
'short code of why it is in its state, or of how its last request failed';
COMMENT ON COLUMN wolkvox.codification.response_code IS 'code of the last answer';
COMMENT ON COLUMN wolkvox.codification.response_msg IS 'message of the last answer: may hold personal data';
COMMENT ON COLUMN wolkvox.codification.staged_at IS 'when it came into the ledger';
COMMENT ON COLUMN wolkvox.codification.sent_at IS 'when its last request began';
COMMENT ON COLUMN wolkvox.codification.settled_at IS 'when it came into a final state, or was held';
COMMENT ON COLUMN wolkvox.codification.dag_run_id IS 'run that staged it or had it last';
COMMENT ON COLUMN wolkvox.codification.chunk_id IS 'chunk that had it last';
COMMENT ON COLUMN wolkvox.codification.slot IS 'slot of its last request: fingerprint of the token, and number';
COMMENT ON COLUMN wolkvox.codification.chunk_number IS
'counts from 1 within the run: the map index of the task, plus 1';
COMMENT ON COLUMN wolkvox.codification.not_before IS
'a pending record is not sent before: its request failed, or its customer is not in the campaign (not_in_campaign)';
COMMENT ON COLUMN wolkvox.codification.dag_id IS 'DAG of dag_run_id';
COMMENT ON COLUMN wolkvox.codification.channel IS 'where the customer was reached, as the warehouse names it';
COMMENT ON COLUMN wolkvox.codification.direct IS 'whether both sides spoke; null: the warehouse does not say';
COMMENT ON COLUMN wolkvox.codification.audited_at IS 'when an audit first found what audit and shown say';
COMMENT ON COLUMN wolkvox.codification.confirmed_at IS
'when an audit found our code first, or again after it was not there';
COMMENT ON COLUMN wolkvox.codification.audit IS
'what the audit found instead: mismatch (another code), missing, open_again (our code, but the customer will be '
'dialled) or overtaken (an agent has dialled since, or the protection is over)';
COMMENT ON COLUMN wolkvox.codification.shown IS 'code that the audit found then';
COMMENT ON COLUMN wolkvox.codification.protected_until IS
'until when the customer must not be dialled, by the rules when the contact came in';
COMMENT ON COLUMN wolkvox.codification.hold_id IS 'the hold that it was held by, last';

CREATE TABLE wolkvox.answer (
    codification_id bigint NOT NULL,
    state text NOT NULL,
    attempts integer NOT NULL,
    reason text,
    response_code text,
    response_msg text,
    settled_at timestamptz,
    replaced_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz,
    id bigint GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (id),
    CONSTRAINT answer_attempts_check CHECK (attempts >= 0),
    CONSTRAINT answer_state_check CHECK (
        state IN ('pending', 'sending', 'coded', 'rejected', 'failed', 'invalid', 'superseded', 'expired', 'held')
    ),
    CONSTRAINT answer_of_record FOREIGN KEY (codification_id)
        REFERENCES wolkvox.codification (id) ON DELETE CASCADE
);
CREATE INDEX answer_codification ON wolkvox.answer (codification_id);
COMMENT ON TABLE wolkvox.answer IS
'answers to the requests of a record before its last one';
COMMENT ON COLUMN wolkvox.answer.codification_id IS 'the record';
COMMENT ON COLUMN wolkvox.answer.state IS 'state in which the answer put the record';
COMMENT ON COLUMN wolkvox.answer.attempts IS 'requests that counted by then';
COMMENT ON COLUMN wolkvox.answer.reason IS 'as in codification';
COMMENT ON COLUMN wolkvox.answer.response_code IS 'as in codification';
COMMENT ON COLUMN wolkvox.answer.response_msg IS 'as in codification: may hold personal data';
COMMENT ON COLUMN wolkvox.answer.settled_at IS 'when it was answered';
COMMENT ON COLUMN wolkvox.answer.replaced_at IS 'when this row was written';
COMMENT ON COLUMN wolkvox.answer.sent_at IS 'when the request began';
COMMENT ON COLUMN wolkvox.answer.id IS 'distinguishes equal rows';

CREATE TABLE wolkvox.dial (
    codification_id bigint NOT NULL,
    dialled_at timestamptz NOT NULL,
    breach text,
    noted_at timestamptz DEFAULT clock_timestamp(),
    PRIMARY KEY (codification_id, dialled_at),
    CONSTRAINT dial_breach_check CHECK (
        breach IN ('lag', 'late_row', 'outage', 'quota', 'refused', 'invalid', 'vendor')
    ),
    CONSTRAINT dial_of_record FOREIGN KEY (codification_id)
        REFERENCES wolkvox.codification (id) ON DELETE CASCADE
);
CREATE INDEX dial_breach ON wolkvox.dial (breach) WHERE breach IS NOT NULL;
CREATE INDEX dial_breached_at ON wolkvox.dial (dialled_at) WHERE breach IS NOT NULL;
COMMENT ON TABLE wolkvox.dial IS 'dials of customers after their contact, as exports of wolkvox show them';
COMMENT ON COLUMN wolkvox.dial.codification_id IS 'the contact';
COMMENT ON COLUMN wolkvox.dial.dialled_at IS 'when the customer was dialled';
COMMENT ON COLUMN wolkvox.dial.breach IS
'why the customer was dialled while protected: lag, late_row, outage, quota, refused, invalid or vendor (codified, and '
'dialled all the same); null: the customer was not protected then';
COMMENT ON COLUMN wolkvox.dial.noted_at IS 'when an export showed it';

CREATE TABLE wolkvox.run (
    operation text NOT NULL,
    dag_id text NOT NULL,
    dag_run_id text NOT NULL,
    window_start timestamptz NOT NULL,
    window_end timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'running',
    counts jsonb NOT NULL DEFAULT '{}',
    began_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    began_by text,
    PRIMARY KEY (operation, dag_id, dag_run_id),
    CONSTRAINT run_began_by_check CHECK (began_by IN ('event', 'schedule', 'person', 'other')),
    CONSTRAINT run_state_check CHECK (state IN ('running', 'success', 'failed'))
);
CREATE INDEX run_began ON wolkvox.run (operation, began_at);
CREATE INDEX run_running ON wolkvox.run (operation) WHERE state = 'running';
COMMENT ON TABLE wolkvox.run IS 'one row per run; no personal data';
COMMENT ON COLUMN wolkvox.run.operation IS 'name of the operation';
COMMENT ON COLUMN wolkvox.run.dag_id IS 'DAG';
COMMENT ON COLUMN wolkvox.run.dag_run_id IS 'its run';
COMMENT ON COLUMN wolkvox.run.window_start IS 'begin of its window of contacts';
COMMENT ON COLUMN wolkvox.run.window_end IS 'end of its window, not included';
COMMENT ON COLUMN wolkvox.run.state IS 'running, success or failed';
COMMENT ON COLUMN wolkvox.run.counts IS 'what its verdict counted, by name';
COMMENT ON COLUMN wolkvox.run.began_at IS 'when stage began';
COMMENT ON COLUMN wolkvox.run.ended_at IS 'when verdict ended';
COMMENT ON COLUMN wolkvox.run.began_by IS 'event, schedule, person or other';

CREATE TABLE wolkvox.chunk (
    chunk_id text NOT NULL,
    operation text NOT NULL,
    dag_id text NOT NULL,
    dag_run_id text NOT NULL,
    number integer NOT NULL,
    ids bigint[] NOT NULL DEFAULT '{}',
    made_at timestamptz NOT NULL DEFAULT now(),
    records integer NOT NULL DEFAULT 0,
    only_ids bigint[],
    limited boolean NOT NULL DEFAULT false,
    fingerprint integer,
    began_at timestamptz,
    ends_at timestamptz,
    closed_at timestamptz,
    PRIMARY KEY (chunk_id),
    CONSTRAINT chunk_records_check CHECK (records >= 0),
    CONSTRAINT chunk_of_run FOREIGN KEY (operation, dag_id, dag_run_id)
        REFERENCES wolkvox.run (operation, dag_id, dag_run_id) ON DELETE CASCADE
        DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX chunk_made ON wolkvox.chunk (made_at);
CREATE INDEX chunk_run ON wolkvox.chunk (operation, dag_id, dag_run_id);
CREATE INDEX chunk_open ON wolkvox.chunk (operation) WHERE closed_at IS NULL;
COMMENT ON TABLE wolkvox.chunk IS 'allotment of one worker in a run';
COMMENT ON COLUMN wolkvox.chunk.chunk_id IS 'its name';
COMMENT ON COLUMN wolkvox.chunk.operation IS 'name of the operation';
COMMENT ON COLUMN wolkvox.chunk.dag_id IS 'DAG';
COMMENT ON COLUMN wolkvox.chunk.dag_run_id IS 'its run';
COMMENT ON COLUMN wolkvox.chunk.number IS 'counts from 1 within the run';
COMMENT ON COLUMN wolkvox.chunk.ids IS
'records that its worker sent, wherever they are by now; written when the worker ends';
COMMENT ON COLUMN wolkvox.chunk.made_at IS 'when stage made it';
COMMENT ON COLUMN wolkvox.chunk.records IS 'records that its worker may take at most';
COMMENT ON COLUMN wolkvox.chunk.only_ids IS 'the only records that its worker may take; null: whatever waits';
COMMENT ON COLUMN wolkvox.chunk.limited IS
'whether its worker takes only a part of what waits: no other run hands records to it';
COMMENT ON COLUMN wolkvox.chunk.fingerprint IS 'digest of the token with which it is sent';
COMMENT ON COLUMN wolkvox.chunk.began_at IS 'when its worker began to send';
COMMENT ON COLUMN wolkvox.chunk.ends_at IS 'when the time of its worker ends';
COMMENT ON COLUMN wolkvox.chunk.closed_at IS 'when its worker ended: it takes no more records';

CREATE TABLE wolkvox.slot (
    slot text NOT NULL,
    operation text NOT NULL,
    lock_class integer NOT NULL,
    lock_number integer NOT NULL,
    dag_id text,
    dag_run_id text,
    task_id text,
    map_index integer,
    try_number integer,
    host text NOT NULL,
    pid integer NOT NULL,
    taken_at timestamptz NOT NULL,
    in_flight_until timestamptz,
    chunk_id text,
    taken bigint[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (slot)
);
COMMENT ON TABLE wolkvox.slot IS
'owner of a slot, or its last owner; it is held now if pg_locks has the advisory lock (lock_class, lock_number)';
COMMENT ON COLUMN wolkvox.slot.slot IS 'fingerprint of the token, and number';
COMMENT ON COLUMN wolkvox.slot.operation IS 'name of the operation';
COMMENT ON COLUMN wolkvox.slot.lock_class IS 'first key of its advisory lock: fingerprint of the token';
COMMENT ON COLUMN wolkvox.slot.lock_number IS 'second key: number of the slot';
COMMENT ON COLUMN wolkvox.slot.dag_id IS 'DAG of the owner';
COMMENT ON COLUMN wolkvox.slot.dag_run_id IS 'run of the owner';
COMMENT ON COLUMN wolkvox.slot.task_id IS 'task of the owner';
COMMENT ON COLUMN wolkvox.slot.map_index IS 'map index of the task, from 0; -1: not mapped';
COMMENT ON COLUMN wolkvox.slot.try_number IS 'try of the owner';
COMMENT ON COLUMN wolkvox.slot.host IS 'machine of the owner';
COMMENT ON COLUMN wolkvox.slot.pid IS 'database process of the owner';
COMMENT ON COLUMN wolkvox.slot.taken_at IS 'when it was taken';
COMMENT ON COLUMN wolkvox.slot.in_flight_until IS 'until when a request that sends no record may still be in flight';
COMMENT ON COLUMN wolkvox.slot.chunk_id IS 'chunk that is sent through it';
COMMENT ON COLUMN wolkvox.slot.taken IS
'records that its owner has taken and not sent yet: other workers do not take them';

CREATE TABLE wolkvox.token (
    fingerprint integer NOT NULL,
    account text NOT NULL,
    PRIMARY KEY (fingerprint)
);
COMMENT ON TABLE wolkvox.token IS
'tokens that were used; operations that share one share its account';
COMMENT ON COLUMN wolkvox.token.fingerprint IS 'digest of the token';
COMMENT ON COLUMN wolkvox.token.account IS
'account under which its requests are counted: the operation that used it first';

CREATE TABLE wolkvox.quota (
    account text NOT NULL,
    day date NOT NULL,
    vendor_limit integer,
    request_limit integer,
    requests integer NOT NULL DEFAULT 0,
    exhausted_at timestamptz,
    asked_at timestamptz,
    PRIMARY KEY (account, day),
    CONSTRAINT quota_requests_check CHECK (requests >= 0)
);
COMMENT ON TABLE wolkvox.quota IS 'requests of each account and local day';
COMMENT ON COLUMN wolkvox.quota.account IS 'account of the token: the operation that used it first';
COMMENT ON COLUMN wolkvox.quota.day IS 'local day of the quota';
COMMENT ON COLUMN wolkvox.quota.vendor_limit IS 'limit of the day by the vendor''s figure';
COMMENT ON COLUMN wolkvox.quota.request_limit IS 'requests allowed that day; null: not known';
COMMENT ON COLUMN wolkvox.quota.requests IS 'requests made that day, or reserved by a task';
COMMENT ON COLUMN wolkvox.quota.exhausted_at IS 'when the vendor answered that none are left';
COMMENT ON COLUMN wolkvox.quota.asked_at IS 'when the vendor gave the figure behind vendor_limit';

CREATE TABLE wolkvox.reservation (
    name uuid NOT NULL,
    account text NOT NULL,
    day date NOT NULL,
    requests integer NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (name),
    CONSTRAINT reservation_requests_check CHECK (requests > 0)
);
COMMENT ON TABLE wolkvox.reservation IS
'blocks of requests, counted in quota, that a task has reserved, or had when it was killed';
COMMENT ON COLUMN wolkvox.reservation.name IS 'its name';
COMMENT ON COLUMN wolkvox.reservation.account IS 'as in quota';
COMMENT ON COLUMN wolkvox.reservation.day IS 'local day of the quota';
COMMENT ON COLUMN wolkvox.reservation.requests IS 'requests that are reserved';
COMMENT ON COLUMN wolkvox.reservation.taken_at IS 'when it was taken';

CREATE TABLE wolkvox.dag (
    dag_id text NOT NULL,
    operation text NOT NULL,
    wolkvox_conn_id text NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    quiet_until timestamptz,
    fingerprint integer,
    daily_requests integer,
    quota_reserve integer,
    quota_timezone text,
    staged_at timestamptz,
    PRIMARY KEY (dag_id)
);
COMMENT ON TABLE wolkvox.dag IS 'DAGs that stage contacts';
COMMENT ON COLUMN wolkvox.dag.dag_id IS 'the DAG';
COMMENT ON COLUMN wolkvox.dag.operation IS 'name of the operation whose contacts it stages';
COMMENT ON COLUMN wolkvox.dag.wolkvox_conn_id IS 'connection to wolkvox';
COMMENT ON COLUMN wolkvox.dag.begun_at IS 'when it was first used with this operation and connection';
COMMENT ON COLUMN wolkvox.dag.quiet_until IS
'nothing can be sent before: the day has no requests left';
COMMENT ON COLUMN wolkvox.dag.fingerprint IS 'digest of the token that it used last';
COMMENT ON COLUMN wolkvox.dag.daily_requests IS
'requests a day that its connection allows, the reserve included; null: no licences given';
COMMENT ON COLUMN wolkvox.dag.quota_reserve IS 'how many of them are reserved for others';
COMMENT ON COLUMN wolkvox.dag.quota_timezone IS 'time zone in which a day of requests ends';
COMMENT ON COLUMN wolkvox.dag.staged_at IS 'when it staged last';

CREATE TABLE wolkvox.watch (
    dag_id text NOT NULL,
    cron text,
    timezone text,
    wake_seconds double precision,
    stage_began_at timestamptz,
    staged_at timestamptz,
    since timestamptz,
    row_count bigint,
    newest text,
    fruitful boolean NOT NULL DEFAULT false,
    polled_at timestamptz,
    event_at timestamptz,
    event_saw text,
    event_repeats integer NOT NULL DEFAULT 0,
    PRIMARY KEY (dag_id),
    CONSTRAINT watch_counts_check CHECK (row_count >= 0 AND event_repeats >= 0 AND wake_seconds > 0)
);
COMMENT ON TABLE wolkvox.watch IS 'schedule of a DAG, its last usual stage and the polls of its trigger; one row a DAG';
COMMENT ON COLUMN wolkvox.watch.dag_id IS 'the DAG';
COMMENT ON COLUMN wolkvox.watch.cron IS 'cron expression of its schedule; null: none';
COMMENT ON COLUMN wolkvox.watch.timezone IS 'time zone of cron';
COMMENT ON COLUMN wolkvox.watch.wake_seconds IS 'seconds between two polls for work; null: no trigger polls';
COMMENT ON COLUMN wolkvox.watch.stage_began_at IS 'when the last stage that pulls the usual window began';
COMMENT ON COLUMN wolkvox.watch.staged_at IS 'when the last one that finished counted the window, just before its pull';
COMMENT ON COLUMN wolkvox.watch.since IS 'start of the counted window; null: there is no count';
COMMENT ON COLUMN wolkvox.watch.row_count IS 'rows of the query in that window';
COMMENT ON COLUMN wolkvox.watch.newest IS 'the newest contacted_at of them';
COMMENT ON COLUMN wolkvox.watch.fruitful IS 'whether that stage brought records in or made chunks';
COMMENT ON COLUMN wolkvox.watch.polled_at IS 'when a poll last succeeded, noted once a minute';
COMMENT ON COLUMN wolkvox.watch.event_at IS 'when the trigger last sent an event';
COMMENT ON COLUMN wolkvox.watch.event_saw IS 'reason of that event';
COMMENT ON COLUMN wolkvox.watch.event_repeats IS 'events in a row, up to that one, that brought no work';

CREATE TABLE wolkvox.circuit_breaker (
    operation text NOT NULL,
    reason text NOT NULL,
    message text NOT NULL,
    fingerprint integer NOT NULL,
    dag_id text NOT NULL,
    dag_run_id text NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    trials integer NOT NULL DEFAULT 0,
    PRIMARY KEY (operation),
    CONSTRAINT circuit_breaker_trials_check CHECK (trials >= 0)
);
COMMENT ON TABLE wolkvox.circuit_breaker IS
'operations whose circuit breaker is open';
COMMENT ON COLUMN wolkvox.circuit_breaker.operation IS 'name of the operation';
COMMENT ON COLUMN wolkvox.circuit_breaker.reason IS 'reason of the requests that opened it';
COMMENT ON COLUMN wolkvox.circuit_breaker.message IS 'message for people';
COMMENT ON COLUMN wolkvox.circuit_breaker.fingerprint IS 'digest of address and token: it does not count for others';
COMMENT ON COLUMN wolkvox.circuit_breaker.dag_id IS 'DAG that opened it';
COMMENT ON COLUMN wolkvox.circuit_breaker.dag_run_id IS 'run that opened it';
COMMENT ON COLUMN wolkvox.circuit_breaker.since IS 'when it opened';
COMMENT ON COLUMN wolkvox.circuit_breaker.until IS 'when the next trial is due';
COMMENT ON COLUMN wolkvox.circuit_breaker.trials IS 'trials so far';

CREATE TABLE wolkvox.suspended_campaign (
    operation text NOT NULL,
    type_campaign text NOT NULL,
    campaign_id text NOT NULL,
    reason text NOT NULL,
    message text,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    trials integer NOT NULL DEFAULT 0,
    PRIMARY KEY (operation, type_campaign, campaign_id),
    CONSTRAINT suspended_campaign_trials_check CHECK (trials >= 0),
    CONSTRAINT suspended_campaign_type_check CHECK (type_campaign IN ('preview', 'predictive'))
);
COMMENT ON TABLE wolkvox.suspended_campaign IS
'campaigns whose circuit breaker is open: their records wait, but for trials';
COMMENT ON COLUMN wolkvox.suspended_campaign.operation IS 'name of the operation';
COMMENT ON COLUMN wolkvox.suspended_campaign.type_campaign IS 'as in codification';
COMMENT ON COLUMN wolkvox.suspended_campaign.campaign_id IS 'as in codification';
COMMENT ON COLUMN wolkvox.suspended_campaign.reason IS
'reason of its refusals, or why the campaign list says that it can''t be right';
COMMENT ON COLUMN wolkvox.suspended_campaign.message IS
'message of its refusals, without ids, or what the campaign list says';
COMMENT ON COLUMN wolkvox.suspended_campaign.since IS 'when it was suspended';
COMMENT ON COLUMN wolkvox.suspended_campaign.until IS 'when the next trial is due';
COMMENT ON COLUMN wolkvox.suspended_campaign.trials IS 'trials so far';

CREATE TABLE wolkvox.consecutive_failures (
    operation text NOT NULL,
    type_campaign text NOT NULL,
    campaign_id text NOT NULL,
    refused bigint[] NOT NULL DEFAULT '{}',
    refused_since timestamptz NOT NULL DEFAULT clock_timestamp(),
    failed bigint[] NOT NULL DEFAULT '{}',
    failed_since timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (operation, type_campaign, campaign_id),
    CONSTRAINT consecutive_failures_type_check CHECK (type_campaign IN ('', 'preview', 'predictive'))
);
COMMENT ON TABLE wolkvox.consecutive_failures IS
'records that failed in a row, of a campaign or (both names empty) of the whole operation';
COMMENT ON COLUMN wolkvox.consecutive_failures.operation IS 'whose records';
COMMENT ON COLUMN wolkvox.consecutive_failures.type_campaign IS 'type of the campaign; empty: all campaigns';
COMMENT ON COLUMN wolkvox.consecutive_failures.campaign_id IS 'the campaign; empty: all campaigns';
COMMENT ON COLUMN wolkvox.consecutive_failures.refused IS
'records that wolkvox refused in a row, at most as many as a decision needs';
COMMENT ON COLUMN wolkvox.consecutive_failures.refused_since IS 'since when';
COMMENT ON COLUMN wolkvox.consecutive_failures.failed IS
'records that got no answer or an error of the host in a row, at most as many as a decision needs';
COMMENT ON COLUMN wolkvox.consecutive_failures.failed_since IS 'since when';

CREATE TABLE wolkvox.campaign (
    operation text NOT NULL,
    campaign_id text NOT NULL,
    type_campaign text,
    name text,
    status text,
    PRIMARY KEY (operation, campaign_id),
    CONSTRAINT campaign_status_check CHECK (status IN ('started', 'stopped')),
    CONSTRAINT campaign_type_check CHECK (type_campaign IN ('preview', 'predictive'))
);
COMMENT ON TABLE wolkvox.campaign IS 'campaigns of wolkvox, by its last list';
COMMENT ON COLUMN wolkvox.campaign.operation IS 'whose campaign';
COMMENT ON COLUMN wolkvox.campaign.campaign_id IS 'id of the campaign';
COMMENT ON COLUMN wolkvox.campaign.type_campaign IS 'preview or predictive; null: not known';
COMMENT ON COLUMN wolkvox.campaign.name IS 'name of the campaign';
COMMENT ON COLUMN wolkvox.campaign.status IS 'started or stopped; null: not known';

CREATE TABLE wolkvox.campaign_sync (
    operation text NOT NULL,
    synced_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (operation)
);
COMMENT ON TABLE wolkvox.campaign_sync IS 'when the campaign list was asked for';
COMMENT ON COLUMN wolkvox.campaign_sync.operation IS 'name of the operation';
COMMENT ON COLUMN wolkvox.campaign_sync.synced_at IS
'when it was asked for last; in the year 9999: it is never asked for';

CREATE TABLE wolkvox.activity_codes (
    account text NOT NULL,
    codes text[] NOT NULL,
    fetched_at timestamptz NOT NULL,
    PRIMARY KEY (account)
);
COMMENT ON TABLE wolkvox.activity_codes IS 'disposition codes of an account, by wolkvox''s last list';
COMMENT ON COLUMN wolkvox.activity_codes.account IS 'account of the token';
COMMENT ON COLUMN wolkvox.activity_codes.codes IS 'the codes';
COMMENT ON COLUMN wolkvox.activity_codes.fetched_at IS 'when they were asked for';

CREATE TABLE wolkvox.export (
    operation text NOT NULL,
    campaign_id text NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    left_aside text,
    PRIMARY KEY (operation, campaign_id)
);
COMMENT ON TABLE wolkvox.export IS 'when the export of each campaign was asked for';
COMMENT ON COLUMN wolkvox.export.operation IS 'name of the operation';
COMMENT ON COLUMN wolkvox.export.campaign_id IS 'id of the campaign';
COMMENT ON COLUMN wolkvox.export.asked_at IS 'when it was asked for last';
COMMENT ON COLUMN wolkvox.export.left_aside IS 'why it was not used before sending; null: it was used';

CREATE TABLE wolkvox.hold (
    id bigint GENERATED ALWAYS AS IDENTITY,
    operation text NOT NULL,
    dag_id text NOT NULL,
    dag_run_id text NOT NULL,
    why jsonb NOT NULL,
    records integer NOT NULL,
    held_at timestamptz NOT NULL DEFAULT now(),
    decided_at timestamptz,
    decided_by text,
    decision text,
    note text,
    PRIMARY KEY (id),
    CONSTRAINT hold_decided_check CHECK (
        (decided_at IS NULL) = (decision IS NULL) AND (decided_at IS NULL) = (decided_by IS NULL)
    ),
    CONSTRAINT hold_decision_check CHECK (decision IN ('released', 'discarded', 'expired')),
    CONSTRAINT hold_records_check CHECK (records >= 0)
);
CREATE INDEX hold_held ON wolkvox.hold (operation, held_at);
COMMENT ON TABLE wolkvox.hold IS 'what was held before its first request because a run brought what is unusual';
COMMENT ON COLUMN wolkvox.hold.id IS 'its number, by which it is released or discarded';
COMMENT ON COLUMN wolkvox.hold.operation IS 'whose records';
COMMENT ON COLUMN wolkvox.hold.dag_id IS 'DAG of the run that brought them';
COMMENT ON COLUMN wolkvox.hold.dag_run_id IS 'run that brought them';
COMMENT ON COLUMN wolkvox.hold.why IS
'a list: name of each rule, campaigns that it holds, figures it went by; nothing of a customer';
COMMENT ON COLUMN wolkvox.hold.records IS 'how many records were held';
COMMENT ON COLUMN wolkvox.hold.held_at IS 'when';
COMMENT ON COLUMN wolkvox.hold.decided_at IS 'when it was decided; null: its records are still held';
COMMENT ON COLUMN wolkvox.hold.decided_by IS 'who decided; guard: hold_hours were over, or its records are gone';
COMMENT ON COLUMN wolkvox.hold.decision IS
'released (its records wait to be sent), discarded (they are invalid) or expired (nobody decided in time)';
COMMENT ON COLUMN wolkvox.hold.note IS 'what whoever decided had to say';

CREATE TABLE wolkvox.contact_version (
    operation text NOT NULL,
    outdated uuid NOT NULL,
    current uuid NOT NULL,
    PRIMARY KEY (outdated, current)
);
COMMENT ON TABLE wolkvox.contact_version IS
'contacts of one customer, campaign and second whose code the warehouse has changed';
COMMENT ON COLUMN wolkvox.contact_version.operation IS 'name of the operation';
COMMENT ON COLUMN wolkvox.contact_version.outdated IS 'key of the earlier contact';
COMMENT ON COLUMN wolkvox.contact_version.current IS 'key of the later one';

CREATE TABLE wolkvox.dedupe_backlog (
    operation text NOT NULL,
    above bigint NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (id)
);
COMMENT ON TABLE wolkvox.dedupe_backlog IS
'loads whose contacts are still to be compared with others of their customers';
COMMENT ON COLUMN wolkvox.dedupe_backlog.operation IS 'name of the operation';
COMMENT ON COLUMN wolkvox.dedupe_backlog.above IS 'contacts with a higher id came in with the load, or later';
COMMENT ON COLUMN wolkvox.dedupe_backlog.id IS 'distinguishes equal rows';

CREATE TABLE wolkvox.export_cursor (
    operation text NOT NULL,
    place text NOT NULL,
    above bigint NOT NULL,
    since timestamptz NOT NULL,
    PRIMARY KEY (operation, place)
);
COMMENT ON TABLE wolkvox.export_cursor IS 'tables elsewhere that receive the results, and up to where each has them';
COMMENT ON COLUMN wolkvox.export_cursor.operation IS 'whose contacts';
COMMENT ON COLUMN wolkvox.export_cursor.place IS 'connection and name of the table';
COMMENT ON COLUMN wolkvox.export_cursor.above IS 'contacts up to this id were written';
COMMENT ON COLUMN wolkvox.export_cursor.since IS 'contacts settled before were written';

CREATE TABLE wolkvox.impact (
    operation text NOT NULL,
    day date NOT NULL,
    type_campaign text NOT NULL,
    campaign_id text NOT NULL,
    coded integer NOT NULL,
    dialled_after integer NOT NULL,
    dialled_before integer NOT NULL,
    calls_prevented double precision NOT NULL,
    minutes integer[] NOT NULL,
    counted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (operation, day, type_campaign, campaign_id),
    CONSTRAINT impact_counts_check CHECK (
        coded >= 0
        AND dialled_after >= 0
        AND dialled_before >= 0
        AND calls_prevented >= 0
        AND cardinality(minutes) = 12
        AND array_position(minutes, NULL) IS NULL
        AND 0 <= ALL(minutes)
    ),
    CONSTRAINT impact_type_check CHECK (type_campaign IN ('preview', 'predictive'))
);
COMMENT ON TABLE wolkvox.impact IS 'impact of codifying, counted from exports';
COMMENT ON COLUMN wolkvox.impact.operation IS 'whose contacts';
COMMENT ON COLUMN wolkvox.impact.day IS 'local day on which they were codified';
COMMENT ON COLUMN wolkvox.impact.type_campaign IS 'as in codification';
COMMENT ON COLUMN wolkvox.impact.campaign_id IS 'as in codification';
COMMENT ON COLUMN wolkvox.impact.coded IS 'coded contacts';
COMMENT ON COLUMN wolkvox.impact.dialled_after IS
'customers of them dialled after codification, while protected';
COMMENT ON COLUMN wolkvox.impact.dialled_before IS 'customers of them dialled between contact and codification';
COMMENT ON COLUMN wolkvox.impact.calls_prevented IS
'codified customers times the share of the campaign''s other customers that was dialled in the same time';
COMMENT ON COLUMN wolkvox.impact.minutes IS
'dialled_before by the minutes from contact to dial: below 1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 1440, and more';
COMMENT ON COLUMN wolkvox.impact.counted_at IS 'when it was counted last';

CREATE TABLE wolkvox.alert (
    operation text NOT NULL,
    dag_id text NOT NULL,
    alert text NOT NULL,
    message text NOT NULL,
    firing_since timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    resolved_at timestamptz,
    again boolean NOT NULL DEFAULT false,
    PRIMARY KEY (operation, dag_id, alert)
);
COMMENT ON TABLE wolkvox.alert IS 'alerts that are firing or were resolved lately';
COMMENT ON COLUMN wolkvox.alert.operation IS 'whose alert';
COMMENT ON COLUMN wolkvox.alert.dag_id IS 'DAG of the alert';
COMMENT ON COLUMN wolkvox.alert.alert IS 'its name';
COMMENT ON COLUMN wolkvox.alert.message IS 'its sentence, as of seen_at';
COMMENT ON COLUMN wolkvox.alert.firing_since IS 'since when it is firing';
COMMENT ON COLUMN wolkvox.alert.seen_at IS 'when its cause was seen last';
COMMENT ON COLUMN wolkvox.alert.resolved_at IS 'when it resolved; null: it is firing';
COMMENT ON COLUMN wolkvox.alert.again IS 'whether it fired again within a day after it was resolved';

CREATE TABLE wolkvox.notification (
    operation text NOT NULL,
    dag_id text NOT NULL,
    alert text NOT NULL,
    recipient text NOT NULL,
    firing_since timestamptz NOT NULL,
    resolved boolean NOT NULL,
    notified_at timestamptz NOT NULL,
    PRIMARY KEY (operation, dag_id, alert, recipient),
    CONSTRAINT notification_of_alert FOREIGN KEY (operation, dag_id, alert)
        REFERENCES wolkvox.alert (operation, dag_id, alert) ON DELETE CASCADE
);
COMMENT ON TABLE wolkvox.notification IS 'last notification of each recipient and alert';
COMMENT ON COLUMN wolkvox.notification.operation IS 'as in alert';
COMMENT ON COLUMN wolkvox.notification.dag_id IS 'as in alert';
COMMENT ON COLUMN wolkvox.notification.alert IS 'as in alert';
COMMENT ON COLUMN wolkvox.notification.recipient IS 'e-mail address, or name of the notifier';
COMMENT ON COLUMN wolkvox.notification.firing_since IS 'firing_since of the alert that the recipient was notified of';
COMMENT ON COLUMN wolkvox.notification.resolved IS 'whether the recipient was notified that it resolved';
COMMENT ON COLUMN wolkvox.notification.notified_at IS 'when the notifier had delivered it';

CREATE TABLE wolkvox.undelivered (
    operation text NOT NULL,
    dag_id text NOT NULL,
    recipient text NOT NULL,
    since timestamptz NOT NULL,
    tried_at timestamptz NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (operation, dag_id, recipient)
);
COMMENT ON TABLE wolkvox.undelivered IS 'recipients that can''t be reached now';
COMMENT ON COLUMN wolkvox.undelivered.operation IS 'as in alert';
COMMENT ON COLUMN wolkvox.undelivered.dag_id IS 'as in alert';
COMMENT ON COLUMN wolkvox.undelivered.recipient IS 'as in notification';
COMMENT ON COLUMN wolkvox.undelivered.since IS 'when a notification failed first';
COMMENT ON COLUMN wolkvox.undelivered.tried_at IS 'when a notification failed last';
COMMENT ON COLUMN wolkvox.undelivered.reason IS 'why it failed last';

CREATE TABLE wolkvox.span (
    operation text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    lag_p50 double precision,
    lag_p95 double precision,
    PRIMARY KEY (operation, starts_at, ends_at)
);
COMMENT ON TABLE wolkvox.span IS 'past hours and days that were counted';
COMMENT ON COLUMN wolkvox.span.operation IS 'name of the operation';
COMMENT ON COLUMN wolkvox.span.starts_at IS 'its begin';
COMMENT ON COLUMN wolkvox.span.ends_at IS 'its end, not included';
COMMENT ON COLUMN wolkvox.span.lag_p50 IS 'median lag from contact to codification, in seconds';
COMMENT ON COLUMN wolkvox.span.lag_p95 IS '95th percentile of the same';

CREATE TABLE wolkvox.span_count (
    operation text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    type_campaign text,
    campaign_id text,
    state text NOT NULL,
    reason text,
    message text,
    records bigint NOT NULL,
    last_at timestamptz NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (id),
    CONSTRAINT span_count_records_check CHECK (records >= 0),
    CONSTRAINT span_count_state_check CHECK (
        state IN ('pending', 'sending', 'coded', 'rejected', 'failed', 'invalid', 'superseded', 'expired', 'held')
    ),
    CONSTRAINT span_count_of_span FOREIGN KEY (operation, starts_at, ends_at)
        REFERENCES wolkvox.span (operation, starts_at, ends_at) ON DELETE CASCADE
);
CREATE INDEX span_count_span ON wolkvox.span_count (operation, starts_at, ends_at);
COMMENT ON TABLE wolkvox.span_count IS 'records settled in a counted span, by campaign, state and reason';
COMMENT ON COLUMN wolkvox.span_count.operation IS 'as in span';
COMMENT ON COLUMN wolkvox.span_count.starts_at IS 'as in span';
COMMENT ON COLUMN wolkvox.span_count.ends_at IS 'as in span';
COMMENT ON COLUMN wolkvox.span_count.type_campaign IS 'as in codification';
COMMENT ON COLUMN wolkvox.span_count.campaign_id IS 'as in codification';
COMMENT ON COLUMN wolkvox.span_count.state IS 'as in codification';
COMMENT ON COLUMN wolkvox.span_count.reason IS 'as in codification';
COMMENT ON COLUMN wolkvox.span_count.message IS 'one of the vendor''s messages, without ids';
COMMENT ON COLUMN wolkvox.span_count.records IS 'how many';
COMMENT ON COLUMN wolkvox.span_count.last_at IS 'when the last of them was settled';
COMMENT ON COLUMN wolkvox.span_count.id IS 'distinguishes equal rows';

CREATE TABLE wolkvox.dirty_hour (
    hour timestamptz NOT NULL,
    transaction xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (hour, transaction)
);
COMMENT ON TABLE wolkvox.dirty_hour IS 'hours of which settled records changed later';
COMMENT ON COLUMN wolkvox.dirty_hour.hour IS 'its begin';
COMMENT ON COLUMN wolkvox.dirty_hour.transaction IS 'transaction that changed one';

CREATE TABLE wolkvox.ingest_count (
    operation text NOT NULL,
    staged_at timestamptz NOT NULL,
    records integer NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (id),
    CONSTRAINT ingest_count_records_check CHECK (records >= 0)
);
CREATE INDEX ingest_count_staged ON wolkvox.ingest_count (operation, staged_at);
COMMENT ON TABLE wolkvox.ingest_count IS 'records that came in, by quarter of an hour';
COMMENT ON COLUMN wolkvox.ingest_count.operation IS 'name of the operation';
COMMENT ON COLUMN wolkvox.ingest_count.staged_at IS 'start of the quarter of an hour';
COMMENT ON COLUMN wolkvox.ingest_count.records IS 'how many';
COMMENT ON COLUMN wolkvox.ingest_count.id IS 'distinguishes equal rows';

CREATE TABLE wolkvox.monthly_total (
    operation text NOT NULL,
    month date NOT NULL,
    type_campaign text,
    campaign_id text,
    state text NOT NULL,
    reason text,
    records bigint NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (id),
    CONSTRAINT monthly_total_group
        UNIQUE NULLS NOT DISTINCT (operation, month, type_campaign, campaign_id, state, reason),
    CONSTRAINT monthly_total_records_check CHECK (records >= 0),
    CONSTRAINT monthly_total_state_check CHECK (
        state IN ('pending', 'sending', 'coded', 'rejected', 'failed', 'invalid', 'superseded', 'expired', 'held')
    )
);
COMMENT ON TABLE wolkvox.monthly_total IS 'contacts that were deleted, by the month (UTC) in which they were settled';
COMMENT ON COLUMN wolkvox.monthly_total.operation IS 'whose contacts';
COMMENT ON COLUMN wolkvox.monthly_total.month IS 'its first day';
COMMENT ON COLUMN wolkvox.monthly_total.type_campaign IS 'as in codification';
COMMENT ON COLUMN wolkvox.monthly_total.campaign_id IS 'as in codification';
COMMENT ON COLUMN wolkvox.monthly_total.state IS 'as in codification';
COMMENT ON COLUMN wolkvox.monthly_total.reason IS 'as in codification';
COMMENT ON COLUMN wolkvox.monthly_total.records IS 'how many';
COMMENT ON COLUMN wolkvox.monthly_total.id IS 'distinguishes equal rows';

CREATE TABLE wolkvox.daily_digest (
    operation text NOT NULL,
    day date NOT NULL,
    records bigint NOT NULL,
    digest bytea NOT NULL,
    previous bytea,
    digested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    contents bytea NOT NULL,
    deleted_before timestamptz NOT NULL,
    PRIMARY KEY (operation, day),
    CONSTRAINT daily_digest_records_check CHECK (records >= 0)
);
COMMENT ON TABLE wolkvox.daily_digest IS
'digest of the contacts settled on a day (UTC), made when they change no more';
COMMENT ON COLUMN wolkvox.daily_digest.operation IS 'whose contacts';
COMMENT ON COLUMN wolkvox.daily_digest.day IS 'the day';
COMMENT ON COLUMN wolkvox.daily_digest.records IS 'contacts that the digest covers';
COMMENT ON COLUMN wolkvox.daily_digest.digest IS 'HMAC-SHA-256 with the secret, over all other columns but digested_at';
COMMENT ON COLUMN wolkvox.daily_digest.previous IS 'digest of the day before; null: this is the first one';
COMMENT ON COLUMN wolkvox.daily_digest.digested_at IS 'when it was made';
COMMENT ON COLUMN wolkvox.daily_digest.contents IS
'SHA-256 over the contacts, their answers and dials, with anonymous customers';
COMMENT ON COLUMN wolkvox.daily_digest.deleted_before IS 'contacts settled before may be deleted';

CREATE TABLE wolkvox.anonymised (
    operation text NOT NULL,
    since timestamptz NOT NULL,
    left_over bigint[] NOT NULL,
    PRIMARY KEY (operation)
);
COMMENT ON TABLE wolkvox.anonymised IS 'up to where old contacts are anonymous';
COMMENT ON COLUMN wolkvox.anonymised.operation IS 'whose contacts';
COMMENT ON COLUMN wolkvox.anonymised.since IS 'contacts settled before are anonymous, but for left_over';
COMMENT ON COLUMN wolkvox.anonymised.left_over IS
'contacts settled before that are not anonymous yet: dated in the future, or locked by another session';

CREATE TABLE wolkvox.retention (
    single boolean NOT NULL DEFAULT true,
    secret_check bytea,
    PRIMARY KEY (single),
    CONSTRAINT retention_single_check CHECK (single)
);
INSERT INTO wolkvox.retention DEFAULT VALUES;
COMMENT ON TABLE wolkvox.retention IS 'secret by which evidence is kept; one row';
COMMENT ON COLUMN wolkvox.retention.single IS 'true';
COMMENT ON COLUMN wolkvox.retention.secret_check IS
'check value of the secret; empty: there is a secret whose check value is not known; null: there is none';

CREATE VIEW wolkvox.held_slot AS
SELECT slot.*, lock.pid AS session
FROM wolkvox.slot
INNER JOIN pg_locks AS lock
    ON lock.locktype = 'advisory'
    AND lock.granted
    AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND lock.classid = (slot.lock_class & 4294967295)::oid
    AND lock.objid = (slot.lock_number & 4294967295)::oid
    AND lock.objsubid = 2;
COMMENT ON VIEW wolkvox.held_slot IS 'slots that are held now, and the database session that holds each';

CREATE FUNCTION wolkvox.normalised_id(customer_id text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT ltrim(
    regexp_replace(
        regexp_replace(lower(customer_id), '[^[:alnum:]]+', '', 'g'),
        '^(cc|ce|ti|rc|nit|nuip|pa|pas|pasaporte|pep|ppt|cedula|dni|rut|run|ruc|cuit|cuil|ci|id)(?=[0-9])',
        ''
    ),
    '0'
)
$$;
COMMENT ON FUNCTION wolkvox.normalised_id(text) IS
'an id without separators, document type, capitals and leading zeros';

CREATE FUNCTION wolkvox.normalised_code(code text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT regexp_replace(lower(code), '^0+(?=.)', '') $$;
COMMENT ON FUNCTION wolkvox.normalised_code(text) IS
'a code without capitals and leading zeros';

CREATE FUNCTION wolkvox.keep_answer() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF OLD.state = 'sending' THEN
        INSERT INTO wolkvox.answer (
            codification_id, state, attempts, reason, response_code, response_msg, settled_at, sent_at
        ) VALUES (
            NEW.id, NEW.state, NEW.attempts, NEW.reason, NEW.response_code, NEW.response_msg,
            clock_timestamp(), OLD.sent_at
        );
    ELSE
        INSERT INTO wolkvox.answer (
            codification_id, state, attempts, reason, response_code, response_msg, settled_at, sent_at
        ) VALUES (
            OLD.id, OLD.state, OLD.attempts, OLD.reason, OLD.response_code, OLD.response_msg,
            OLD.settled_at, OLD.sent_at
        );
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION wolkvox.mark_dirty_hour() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO wolkvox.dirty_hour (hour)
    SELECT date_bin('1 hour', settled_at, 'epoch')
    FROM unnest(ARRAY[OLD.settled_at, CASE WHEN TG_OP = 'UPDATE' THEN NEW.settled_at END]) AS settled_at
    WHERE settled_at IS NOT NULL
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;

CREATE FUNCTION wolkvox.count_ingested() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO wolkvox.ingest_count (operation, staged_at, records)
    SELECT operation, date_bin('15 minutes', staged_at, 'epoch'), count(*) FROM inserted GROUP BY 1, 2;
    INSERT INTO wolkvox.dirty_hour (hour)
    SELECT DISTINCT date_bin('1 hour', settled_at, 'epoch') FROM inserted
    WHERE settled_at < now() - interval '1 minute'
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;

CREATE TRIGGER answered AFTER UPDATE ON wolkvox.codification
FOR EACH ROW WHEN (new.state = 'pending' AND old.state NOT IN ('pending', 'held'))
EXECUTE FUNCTION wolkvox.keep_answer();
COMMENT ON TRIGGER answered ON wolkvox.codification IS
'keeps the last answer in wolkvox.answer when a record is pending again';

CREATE TRIGGER deleted AFTER DELETE ON wolkvox.codification
FOR EACH ROW WHEN (old.settled_at > now() - interval '32 days') EXECUTE FUNCTION wolkvox.mark_dirty_hour();
COMMENT ON TRIGGER deleted ON wolkvox.codification IS
'marks the hour in which a record was settled, in wolkvox.dirty_hour';

CREATE TRIGGER inserted AFTER INSERT ON wolkvox.codification
REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION wolkvox.count_ingested();
COMMENT ON TRIGGER inserted ON wolkvox.codification IS
'counts new records in wolkvox.ingest_count, and marks the hours of those that came in settled';

CREATE TRIGGER settled AFTER UPDATE OF
settled_at, state, reason, operation, type_campaign, campaign_id, contacted_at, response_msg
ON wolkvox.codification
FOR EACH ROW
WHEN (old.settled_at > now() - interval '32 days' OR new.settled_at < now() - interval '1 minute')
EXECUTE FUNCTION wolkvox.mark_dirty_hour();
COMMENT ON TRIGGER settled ON wolkvox.codification IS
'marks the hour in which a record was settled, in wolkvox.dirty_hour';
