-- Mail, and the addresses that people show to be theirs by a code that is mailed to them.
--
-- A message is written in the transaction that causes it, so there is none without its
-- cause and no cause without its message. A job sends it afterwards. What time it is, is
-- for the server's clock to say.

-- The job sees messages of everyone, so its functions belong to the worker, and its
-- policies show it what was written by the moment at which it delivers.
create function app.delivering() returns timestamptz
  language plpgsql stable parallel safe
  set search_path = pg_catalog, pg_temp
as $$
declare
  moment constant text := current_setting('app.delivering', true);
begin
  if moment is null or moment = '' then
    raise exception 'no mail is being delivered in this transaction' using errcode = 'insufficient_privilege';
  end if;
  return moment::timestamptz;
end
$$;
comment on function app.delivering() is
  'The moment at which the job delivers: its policies let it see what was written by then. Raises 42501 when there is none.';
revoke all on function app.delivering() from public;
grant execute on function app.delivering() to breathmaster_worker;

create table app.outbox (
  uid uuid not null references app.user (uid) on delete cascade,
  message_id uuid not null,
  kind text not null check (kind in ('emailCode')),
  -- Printable ASCII alone: nothing that could end a line of the conversation with a mail server.
  recipient text not null
    constraint outbox_recipient_invalid check (char_length(recipient) <= 254 and recipient ~ '^[!-;=?-~]+@[a-z0-9.-]+$'),
  seed uuid,
  written_at timestamptz not null,
  good_until timestamptz not null,
  due_at timestamptz not null,
  attempts integer not null default 0,
  dead_at timestamptz,
  dead_of text check (char_length(dead_of) <= 200),
  primary key (uid, message_id)
);
comment on table app.outbox is
  'Mail that is to be sent. A message is gone when a mail server has taken it, and stays for a week when it is given up.';
comment on column app.outbox.message_id is 'The left half of its Message-ID: the same however often it is sent, so a mailbox can tell.';
comment on column app.outbox.seed is 'What the code in it comes of, with a key that the server holds: the code itself is nowhere at rest.';
comment on column app.outbox.due_at is
  'When it is sent next. The job that has taken it moves this forward, so one that dies with it holds it up and doesn''t lose it.';
comment on column app.outbox.dead_of is 'Why it was given up, in the job''s words and never a mail server''s, which may repeat the address.';
create index outbox_due on app.outbox (due_at) where dead_at is null;
create index outbox_dead on app.outbox (dead_at) where dead_at is not null;

create table app.mail_budget (
  uid uuid primary key references app.user (uid) on delete cascade,
  since timestamptz not null,
  messages integer not null check (messages >= 1)
);
comment on table app.mail_budget is 'How much mail a person has caused within the hour that began with the first.';

create table app.email_verification (
  uid uuid not null references app.user (uid) on delete cascade,
  address text not null
    constraint email_verification_invalid check (char_length(address) <= 254 and address ~ '^[!-;=?-~]+@[a-z0-9.-]+$'),
  digest bytea not null check (octet_length(digest) = 32),
  asked_at timestamptz not null,
  good_until timestamptz not null,
  attempts integer not null default 0,
  primary key (uid, address)
);
comment on table app.email_verification is
  'An address that a person says is theirs and has not shown to be. It gives nothing: what counts is app.email_claim.';
comment on column app.email_verification.digest is 'Of the newest code that was mailed, keyed; the one before is none any more.';

alter table app.outbox enable row level security;
alter table app.outbox force row level security;
create policy outbox_self on app.outbox to breathmaster_owner
  using (uid = (select app.uid())) with check (uid = (select app.uid()));
create policy outbox_delivering on app.outbox to breathmaster_worker
  using (written_at <= (select app.delivering())) with check (written_at <= (select app.delivering()));
grant select, delete, update (due_at, attempts, dead_at, dead_of) on app.outbox to breathmaster_worker;

alter table app.mail_budget enable row level security;
alter table app.mail_budget force row level security;
create policy mail_budget_self on app.mail_budget to breathmaster_owner
  using (uid = (select app.uid())) with check (uid = (select app.uid()));

alter table app.email_verification enable row level security;
alter table app.email_verification force row level security;
create policy email_verification_self on app.email_verification to breathmaster_api, breathmaster_owner
  using (uid = (select app.uid())) with check (uid = (select app.uid()));
grant select (uid, address, asked_at, good_until), delete on app.email_verification to breathmaster_api;

-- An address can be taken back; what it had opened, such as a company, is left by itself.
grant delete on app.email_claim to breathmaster_api;

create function app.outbox_has_room(at timestamptz) returns boolean
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  room boolean;
begin
  perform set_config('app.delivering', at::text, true);
  select count(*) < 10000 into room from (select from app.outbox where dead_at is null limit 10000) as waiting;
  -- The rest of a person's transaction delivers nothing.
  perform set_config('app.delivering', '', true);
  return room;
end
$$;
comment on function app.outbox_has_room(timestamptz) is 'Whether another message may wait: beyond that, no mail server is taking any.';
revoke all on function app.outbox_has_room(timestamptz) from public;

create function app.post_mail(
  message uuid, of_kind text, to_address text, of_seed uuid, at timestamptz, until timestamptz
) returns integer
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  me constant uuid := app.uid();
begin
  insert into app.mail_budget as b (uid, since, messages) values (me, at, 1)
  on conflict (uid) do update
    set (since, messages) = (
      select case when over then at else b.since end, case when over then 1 else b.messages + 1 end
      from (values (b.since <= at - interval '1 hour')) as hour (over)
    )
    where b.messages < 5 or b.since <= at - interval '1 hour';
  if not found then
    return (
      select greatest(1, ceil(extract(epoch from b.since + interval '1 hour' - at)))::integer
      from app.mail_budget b where b.uid = me
    );
  end if;
  if not app.outbox_has_room(at) then
    raise exception 'the outbox is full' using errcode = '53000';
  end if;
  insert into app.outbox (uid, message_id, kind, recipient, seed, written_at, good_until, due_at)
  values (me, message, of_kind, to_address, of_seed, at, until, at);
  return null;
end
$$;
comment on function app.post_mail(uuid, text, text, uuid, timestamptz, timestamptz) is
  'Writes a message of the bound user; instead, the seconds to wait where five were written within the hour.';
revoke all on function app.post_mail(uuid, text, text, uuid, timestamptz, timestamptz) from public;

-- Says nothing of who else has the address: that is for the one who gets the code, and
-- app.verify_email tells them.
create function app.ask_email(
  asked_address text, code_seed uuid, code_digest bytea, at timestamptz, until timestamptz
) returns integer
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  me constant uuid := app.uid();
  wait integer;
begin
  wait := app.post_mail(gen_random_uuid(), 'emailCode', asked_address, code_seed, at, until);
  if wait is not null then
    return wait;
  end if;
  -- The row of the budget is locked, so one person's addresses are counted one after another.
  delete from app.email_verification where uid = me and good_until <= at - interval '1 day';
  if (
    select count(*) from (
      select lower(address) from app.email_claim where uid = me
      union select lower(address) from app.email_verification where uid = me
      union select lower(asked_address)
    ) as addresses
  ) > 10 then
    raise exception 'no room for another address' using errcode = 'BM409', constraint = 'email_limit_reached';
  end if;
  insert into app.email_verification (uid, address, digest, asked_at, good_until)
  values (me, asked_address, code_digest, at, until)
  on conflict (uid, address) do update
    set (digest, asked_at, good_until, attempts) = (excluded.digest, excluded.asked_at, excluded.good_until, 0);
  return null;
end
$$;
comment on function app.ask_email(text, uuid, bytea, timestamptz, timestamptz) is
  'Mails a code to an address that the bound user says is theirs; instead, the seconds to wait where that was too much mail.';
revoke all on function app.ask_email(text, uuid, bytea, timestamptz, timestamptz) from public;
grant execute on function app.ask_email(text, uuid, bytea, timestamptz, timestamptz) to breathmaster_api;

create function app.verify_email(shown_address text, shown_digest bytea, at timestamptz) returns boolean
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  me constant uuid := app.uid();
  held constant boolean := exists (
    select from app.email_claim where uid = me and lower(address) = lower(shown_address)
  );
  asked record;
begin
  select * into asked from app.email_verification where uid = me and address = shown_address for update;
  if not found then
    -- Asked again after an answer that was lost.
    return held;
  end if;
  if asked.good_until <= at or asked.attempts >= 5 then
    return false;
  end if;
  if asked.digest <> shown_digest then
    update app.email_verification set attempts = attempts + 1 where uid = me and address = shown_address;
    return false;
  end if;
  delete from app.email_verification where uid = me and address = shown_address;
  if not held then
    insert into app.email_claim (uid, address, verified_at) values (me, shown_address, at);
  end if;
  return true;
end
$$;
comment on function app.verify_email(text, bytea, timestamptz) is
  'Makes an address the bound user''s by the code that was mailed there. Each code takes five wrong tries and one right one. Raises email_claim_taken where the address is somebody else''s: only who reads its mail gets there.';
revoke all on function app.verify_email(text, bytea, timestamptz) from public;
grant execute on function app.verify_email(text, bytea, timestamptz) to breathmaster_api;

-- The job's. Whoever takes a message has it for a while; who dies with it loses it to
-- the next one, and the attempt counts all the same.
create function app.take_mail(most integer, at timestamptz, lease interval)
  returns table (uid uuid, message_id uuid, kind text, recipient text, seed uuid, written_at timestamptz, attempts integer)
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config('app.delivering', at::text, true);
  delete from app.outbox o where o.dead_at <= at - interval '7 days';
  update app.outbox o
  set dead_at = at, dead_of = case when o.good_until <= at then 'too late' else 'too many attempts' end
  where o.dead_at is null and o.due_at <= at and (o.good_until <= at or o.attempts >= 10);
  return query
    update app.outbox o
    set due_at = at + lease, attempts = o.attempts + 1
    from (
      select w.uid, w.message_id from app.outbox w
      where w.dead_at is null and w.due_at <= at
      order by w.due_at
      limit most
      for update skip locked
    ) as taken
    where o.uid = taken.uid and o.message_id = taken.message_id
    returning o.uid, o.message_id, o.kind, o.recipient, o.seed, o.written_at, o.attempts;
end
$$;
comment on function app.take_mail(integer, timestamptz, interval) is
  'Messages that are due, which nobody else is given until the lease is over. Those that are too late or were tried ten times are given up.';

create function app.mail_taken(of_uid uuid, message uuid, at timestamptz) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config('app.delivering', at::text, true);
  delete from app.outbox where uid = of_uid and message_id = message;
end
$$;
comment on function app.mail_taken(uuid, uuid, timestamptz) is 'A mail server has taken the message, so it is nothing to keep.';

create function app.mail_refused(of_uid uuid, message uuid, attempt integer, why text, for_good boolean, at timestamptz)
  returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config('app.delivering', at::text, true);
  update app.outbox
  set due_at = at + least(interval '15 seconds' * 2 ^ (attempt - 1), interval '1 hour'),
    dead_at = case when for_good then at end,
    dead_of = case when for_good then why end
  where uid = of_uid and message_id = message and attempts = attempt;
end
$$;
comment on function app.mail_refused(uuid, uuid, integer, text, boolean, timestamptz) is
  'Tries again later, twice as late each time, or never where a mail server has refused for good. Passed over where another has taken the message since.';

revoke all on function app.take_mail(integer, timestamptz, interval) from public;
revoke all on function app.mail_taken(uuid, uuid, timestamptz) from public;
revoke all on function app.mail_refused(uuid, uuid, integer, text, boolean, timestamptz) from public;
grant create on schema app to breathmaster_worker;
alter function app.outbox_has_room(timestamptz) owner to breathmaster_worker;
alter function app.take_mail(integer, timestamptz, interval) owner to breathmaster_worker;
alter function app.mail_taken(uuid, uuid, timestamptz) owner to breathmaster_worker;
alter function app.mail_refused(uuid, uuid, integer, text, boolean, timestamptz) owner to breathmaster_worker;
revoke create on schema app from breathmaster_worker;
-- From the new owner, as the privileges of the old one went over to it.
set local role breathmaster_worker;
grant execute on function app.outbox_has_room(timestamptz) to breathmaster_owner;
grant execute on function app.take_mail(integer, timestamptz, interval) to breathmaster_api;
grant execute on function app.mail_taken(uuid, uuid, timestamptz) to breathmaster_api;
grant execute on function app.mail_refused(uuid, uuid, integer, text, boolean, timestamptz) to breathmaster_api;
set local role breathmaster_owner;
