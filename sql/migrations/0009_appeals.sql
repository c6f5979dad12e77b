-- Appeals: a session in quarantine is kept, and its person may ask an operator to
-- let it count. What was asked and what was decided are added, never changed.

create table app.session_appeal (
  uid uuid not null,
  device_id text not null,
  session_id text not null,
  started_at timestamptz not null,
  verdict text not null,
  reason text not null constraint session_appeal_reason_invalid check (char_length(reason) between 1 and 1000),
  appealed_at timestamptz not null default now(),
  primary key (uid, device_id, session_id, started_at),
  foreign key (uid, device_id, session_id, started_at)
    references app.session (uid, device_id, session_id, started_at) on delete cascade
);
comment on table app.session_appeal is 'What a person says for a session that was quarantined.';
comment on column app.session_appeal.verdict is 'Why it was in quarantine when they asked.';

alter table app.session_appeal enable row level security;
alter table app.session_appeal force row level security;
create policy session_appeal_self on app.session_appeal to breathmaster_api, breathmaster_owner
  using (uid = (select app.uid())) with check (uid = (select app.uid()));
grant select on app.session_appeal to breathmaster_api;
grant insert (uid, device_id, session_id, started_at, verdict, reason) on app.session_appeal to breathmaster_api;

create table app.appeal_decision (
  uid uuid not null,
  device_id text not null,
  session_id text not null,
  started_at timestamptz not null,
  accepted boolean not null,
  decided_by text not null check (char_length(decided_by) between 1 and 100),
  note text check (char_length(note) <= 1000),
  decided_at timestamptz not null default now(),
  primary key (uid, device_id, session_id, started_at),
  foreign key (uid, device_id, session_id, started_at)
    references app.session_appeal (uid, device_id, session_id, started_at) on delete cascade
);
comment on table app.appeal_decision is 'What an operator decided, once for each appeal. The server can only read it.';
comment on column app.appeal_decision.decided_by is 'The operator, as they gave their name.';

alter table app.appeal_decision enable row level security;
alter table app.appeal_decision force row level security;
create policy appeal_decision_self on app.appeal_decision to breathmaster_api, breathmaster_owner
  using (uid = (select app.uid())) with check (uid = (select app.uid()));
grant select on app.appeal_decision to breathmaster_api;
