-- Passwords, what is done when one is forgotten, and the code by which an account
-- without an address is found again.
--
-- Whether an address is somebody's is told to nobody. So what is asked about an address
-- costs the same whoever has it: one function looks for a password, found or not, and a
-- forgotten one is written down, for a job to see later whose it is.

-- The one address that somebody has named, by which the worker may find whose it is.
create function app.addressed() returns text
  language sql stable parallel safe
  set search_path = pg_catalog, pg_temp
as $$
  select nullif(current_setting('app.addressed', true), '')
$$;
comment on function app.addressed() is
  'The address, in lower case, whose person is looked for. Null where there is none, since the worker''s policies stand side by side and one must not fail another.';
revoke all on function app.addressed() from public;
grant execute on function app.addressed() to breathmaster_worker;

-- A small table, read by one row's key: a lock of a moment.
-- squawk-ignore adding-field-with-default
alter table app.email_claim add column mailbox text not null generated always as (lower(address)) stored;
comment on column app.email_claim.mailbox is
  'In lower case, for an index that is used below a policy: lower() is not leakproof, so what it makes of a column is no condition for an index there.';
-- squawk-ignore require-concurrent-index-creation
create index email_claim_by_mailbox on app.email_claim (mailbox);

create policy email_claim_addressed on app.email_claim for select to breathmaster_worker
  using (mailbox = (select app.addressed()));
grant select (uid, address, mailbox) on app.email_claim to breathmaster_worker;

create function app.uid_by_email(given text) returns uuid
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  found_uid uuid;
begin
  perform set_config('app.addressed', lower(given), true);
  select uid into found_uid from app.email_claim where mailbox = lower(given);
  perform set_config('app.addressed', '', true);
  return found_uid;
end
$$;
comment on function app.uid_by_email(text) is 'Whose verified address it is. For other functions alone: it tells who is here.';
revoke all on function app.uid_by_email(text) from public;

create table app.password (
  uid uuid primary key references app.user (uid) on delete cascade,
  phc text not null check (char_length(phc) <= 200 and phc ~ '^\$argon2id\$v=[0-9]+\$m=[0-9]+,t=[0-9]+,p=[0-9]+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$'),
  set_at timestamptz not null
);
comment on table app.password is 'What a person''s password is recognised by.';
comment on column app.password.phc is
  'Argon2id (RFC 9106) in the PHC string format: its own salt and parameters, so that they can be raised for each at its next use.';

alter table app.password enable row level security;
alter table app.password force row level security;
create policy password_self on app.password to breathmaster_api, breathmaster_owner
  using (uid = (select app.uid())) with check (uid = (select app.uid()));
grant select, insert, update (phc, set_at) on app.password to breathmaster_api;

-- squawk-ignore require-concurrent-index-creation
create index audit_event_sign_ins on app.audit_event (uid, source) where action = 'sign-in.begun';

create function app.password_by_email(
  given text, from_source text, out found_uid uuid, out found_phc text, out knows_source boolean
)
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  found_uid := app.uid_by_email(given);
  -- Nobody is looked for as well, so that nobody takes as long as somebody.
  perform set_config('app.uid', coalesce(found_uid, gen_random_uuid())::text, true);
  select phc into found_phc from app.password where uid = (select app.uid());
  knows_source := exists (
    select from app.audit_event
    where uid = (select app.uid()) and action = 'sign-in.begun' and source = from_source
  );
  perform set_config('app.uid', '', true);
end
$$;
comment on function app.password_by_email(text, text, out uuid, out text, out boolean) is
  'What a password is checked against, nulls where there is none; and whether its person has signed in from that network before.';
revoke all on function app.password_by_email(text, text, out uuid, out text, out boolean) from public;
grant execute on function app.password_by_email(text, text, out uuid, out text, out boolean) to breathmaster_api;

create table app.password_reset (
  reset_id uuid primary key,
  address text not null
    constraint password_reset_invalid check (char_length(address) <= 254 and address ~ '^[!-;=?-~]+@[a-z0-9.-]+$'),
  seed uuid not null,
  digest bytea not null check (octet_length(digest) = 32),
  asked_at timestamptz not null,
  good_until timestamptz not null,
  attempts integer not null default 0,
  state text not null default 'waiting' check (state in ('waiting', 'mailed', 'passed over', 'spent'))
);
comment on table app.password_reset is
  'A password that somebody says is forgotten, of an address that may be nobody''s. Only what was mailed can be used, and whoever asked has the id: nobody spends the tries of another. Gone after an hour.';
comment on column app.password_reset.seed is 'What the code comes of, with a key that the server holds.';
comment on column app.password_reset.state is
  'Passed over: the address is nobody''s, or has been mailed enough. Spent: a password was set by it, or by another one of the address.';
create index password_reset_waiting on app.password_reset (asked_at) where state = 'waiting';
create index password_reset_by_address on app.password_reset (lower(address), asked_at);
create index password_reset_asked on app.password_reset (asked_at);

alter table app.password_reset enable row level security;
alter table app.password_reset force row level security;
create policy password_reset_delivering on app.password_reset to breathmaster_worker
  using (asked_at <= (select app.delivering())) with check (asked_at <= (select app.delivering()));
grant select, insert, delete, update (attempts, state) on app.password_reset to breathmaster_worker;

create function app.ask_password_reset(
  id uuid, given text, code_seed uuid, code_digest bytea, at timestamptz, until timestamptz
) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config('app.delivering', at::text, true);
  if (select count(*) from (select from app.password_reset where state = 'waiting' limit 10000) as waiting) >= 10000 then
    raise exception 'the outbox is full' using errcode = '53000';
  end if;
  insert into app.password_reset (reset_id, address, seed, digest, asked_at, good_until)
  values (id, given, code_seed, code_digest, at, until);
  perform set_config('app.delivering', '', true);
end
$$;
comment on function app.ask_password_reset(uuid, text, uuid, bytea, timestamptz, timestamptz) is
  'Writes down that a password is forgotten, whether or not the address is anybody''s.';

create function app.post_password_resets(at timestamptz) returns integer
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  asked record;
  holder record;
  posted integer := 0;
  is_mailed boolean;
begin
  perform set_config('app.delivering', at::text, true);
  delete from app.password_reset where asked_at <= at - interval '1 hour';
  for asked in
    select * from app.password_reset
    where state = 'waiting' and asked_at <= at
    order by asked_at limit 100
    for update skip locked
  loop
    perform set_config('app.addressed', lower(asked.address), true);
    select uid, address into holder from app.email_claim where mailbox = lower(asked.address);
    is_mailed := holder.uid is not null and asked.good_until > at and 5 > (
      select count(*) from app.password_reset
      where lower(address) = lower(asked.address) and state in ('mailed', 'spent') and asked_at > at - interval '1 hour'
    );
    if is_mailed then
      insert into app.outbox (uid, message_id, kind, recipient, seed, written_at, good_until, due_at)
      values (holder.uid, asked.reset_id, 'passwordReset', holder.address, asked.seed, at, asked.good_until, at);
    end if;
    update app.password_reset set state = case when is_mailed then 'mailed' else 'passed over' end
    where reset_id = asked.reset_id;
    posted := posted + 1;
  end loop;
  perform set_config('app.addressed', '', true);
  return posted;
end
$$;
comment on function app.post_password_resets(timestamptz) is
  'Mails the codes of forgotten passwords to those whose the address is, at most five within an hour to each. How many were looked at: up to a hundred.';

create function app.spend_password_reset(id uuid, shown_digest bytea, at timestamptz) returns text
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  asked record;
begin
  perform set_config('app.delivering', at::text, true);
  update app.password_reset set attempts = attempts + 1
  where reset_id = id and good_until > at and attempts < 5
  returning * into asked;
  if asked.digest = shown_digest and asked.state = 'mailed' then
    -- And with it those that were mailed beside it: the password that they were to replace is gone.
    update app.password_reset set state = 'spent'
    where lower(address) = lower(asked.address) and state in ('waiting', 'mailed');
  else
    asked.address := null;
  end if;
  perform set_config('app.delivering', '', true);
  return asked.address;
end
$$;
comment on function app.spend_password_reset(uuid, bytea, timestamptz) is
  'The address that a code was mailed to, once, and null for any other code: each reset takes five.';

-- What may wait here is little, and gone soon.
-- squawk-ignore ban-drop-constraint
alter table app.outbox drop constraint outbox_kind_check;
-- squawk-ignore constraint-missing-not-valid
alter table app.outbox add constraint outbox_kind_check
  check (kind in ('emailCode', 'passwordReset', 'passwordChanged', 'invitation'));
grant insert (uid, message_id, kind, recipient, seed, written_at, good_until, due_at) on app.outbox to breathmaster_worker;

revoke all on function app.ask_password_reset(uuid, text, uuid, bytea, timestamptz, timestamptz) from public;
revoke all on function app.post_password_resets(timestamptz) from public;
revoke all on function app.spend_password_reset(uuid, bytea, timestamptz) from public;
grant create on schema app to breathmaster_worker;
alter function app.uid_by_email(text) owner to breathmaster_worker;
alter function app.ask_password_reset(uuid, text, uuid, bytea, timestamptz, timestamptz) owner to breathmaster_worker;
alter function app.post_password_resets(timestamptz) owner to breathmaster_worker;
alter function app.spend_password_reset(uuid, bytea, timestamptz) owner to breathmaster_worker;
revoke create on schema app from breathmaster_worker;
set local role breathmaster_worker;
grant execute on function app.uid_by_email(text) to breathmaster_owner;
grant execute on function app.spend_password_reset(uuid, bytea, timestamptz) to breathmaster_owner;
grant execute on function app.ask_password_reset(uuid, text, uuid, bytea, timestamptz, timestamptz) to breathmaster_api;
grant execute on function app.post_password_resets(timestamptz) to breathmaster_api;
set local role breathmaster_owner;

-- Binds the transaction to whom the code was mailed to: who reads the mail is let in.
create function app.enter_by_password_reset(id uuid, shown_digest bytea, at timestamptz) returns uuid
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  address constant text := app.spend_password_reset(id, shown_digest, at);
  entered uuid;
begin
  if address is not null then
    entered := app.uid_by_email(address);
  end if;
  perform set_config('app.uid', coalesce(entered::text, ''), true);
  return entered;
end
$$;
comment on function app.enter_by_password_reset(uuid, bytea, timestamptz) is
  'The user to whom the transaction is bound from now on; null, and nobody, where the code is not good.';
revoke all on function app.enter_by_password_reset(uuid, bytea, timestamptz) from public;
grant execute on function app.enter_by_password_reset(uuid, bytea, timestamptz) to breathmaster_api;

create function app.notify_of_password(at timestamptz) returns void
  language sql security definer
  set search_path = pg_catalog, pg_temp
as $$
  insert into app.outbox (uid, message_id, kind, recipient, written_at, good_until, due_at)
  select uid, gen_random_uuid(), 'passwordChanged', address, at, at + interval '1 day', at
  from app.email_claim where uid = (select app.uid());
$$;
comment on function app.notify_of_password(timestamptz) is
  'Tells the bound user, at each of their addresses, that their password is another now.';
revoke all on function app.notify_of_password(timestamptz) from public;
grant execute on function app.notify_of_password(timestamptz) to breathmaster_api;

create table app.recovery_code (
  uid uuid primary key references app.user (uid) on delete cascade,
  hash bytea not null check (octet_length(hash) = 32),
  previous_hash bytea check (octet_length(previous_hash) = 32),
  made_at timestamptz not null
);
comment on table app.recovery_code is
  'The code by which a person finds their account again who has nothing else. Kept as SHA-256 only.';
comment on column app.recovery_code.previous_hash is
  'The code that was used for this one. It is good until this one is used, so that a lost answer loses no account.';

alter table app.recovery_code enable row level security;
alter table app.recovery_code force row level security;
create policy recovery_code_self on app.recovery_code to breathmaster_api, breathmaster_owner
  using (uid = (select app.uid())) with check (uid = (select app.uid()));
grant select (uid, made_at), insert (uid, hash, made_at), update (hash, previous_hash, made_at)
  on app.recovery_code to breathmaster_api;

create function app.enter_by_recovery_code(of_uid uuid, shown bytea, next bytea, at timestamptz) returns uuid
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  entered uuid;
begin
  perform set_config('app.uid', of_uid::text, true);
  update app.recovery_code set (hash, previous_hash, made_at) = (next, shown, at)
  where uid = (select app.uid()) and shown in (hash, previous_hash)
  returning uid into entered;
  perform set_config('app.uid', coalesce(entered::text, ''), true);
  return entered;
end
$$;
comment on function app.enter_by_recovery_code(uuid, bytea, bytea, timestamptz) is
  'The user to whom the transaction is bound from now on, whose next code it is; null, and nobody, where the code shown is not good.';
revoke all on function app.enter_by_recovery_code(uuid, bytea, bytea, timestamptz) from public;
grant execute on function app.enter_by_recovery_code(uuid, bytea, bytea, timestamptz) to breathmaster_api;

create function app.forget_recovery_code() returns void
  language sql security definer
  set search_path = pg_catalog, pg_temp
as $$
  delete from app.recovery_code
  where uid = (select app.uid()) and exists (select from app.email_claim where uid = (select app.uid()));
$$;
comment on function app.forget_recovery_code() is
  'With a new password, whoever has seen the bound user''s code is out too. It stays where there is no address, as the only way back.';
revoke all on function app.forget_recovery_code() from public;
grant execute on function app.forget_recovery_code() to breathmaster_api;
