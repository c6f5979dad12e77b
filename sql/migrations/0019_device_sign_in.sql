-- Signing in a device by a code that its person enters elsewhere (RFC 8628).
--
-- A device asks, as nobody, and shows a code. Somebody who is signed in, or does so on
-- the page, enters the code and says yes or no. The device, which asks now and then,
-- is let in as that person, once.

create table app.device_request (
  request_id uuid primary key,
  hash bytea not null check (octet_length(hash) = 32),
  code_digest bytea not null check (octet_length(code_digest) = 32),
  device_name text not null
    constraint device_request_name_invalid
      check (char_length(device_name) between 1 and 80 and device_name is normalized
        and device_name !~ '[[:cntrl:]]' and device_name ~ '[^[:space:]]'),
  source text not null check (char_length(source) <= 60),
  asked_at timestamptz not null,
  good_until timestamptz not null,
  next_poll_at timestamptz not null,
  poll_seconds integer not null default 5 check (poll_seconds between 5 and 600),
  state text not null default 'waiting' check (state in ('waiting', 'approved', 'denied')),
  constraint device_request_code_taken unique (code_digest)
);
comment on table app.device_request is
  'A device that wants to be signed in, and is nobody''s until somebody says so. Gone ten minutes after it asked.';
comment on column app.device_request.hash is 'SHA-256 of what the device comes back with.';
comment on column app.device_request.code_digest is 'Keyed, of the code that it shows.';
comment on column app.device_request.source is 'The network that it asked from, for the person to recognise.';
comment on column app.device_request.next_poll_at is 'Before this it asks too often, and from then on has to wait five seconds longer (RFC 8628 §3.5).';
create index device_request_asked on app.device_request (asked_at);

create table app.device_approval (
  uid uuid not null references app.user (uid) on delete cascade,
  request_id uuid not null,
  approved_at timestamptz not null,
  primary key (uid, request_id)
);
comment on table app.device_approval is 'Who said yes to a device that waits. Gone when the device has come back.';
create index device_approval_by_request on app.device_approval (request_id);

alter table app.device_request enable row level security;
alter table app.device_request force row level security;
create policy device_request_delivering on app.device_request to breathmaster_worker
  using (asked_at <= (select app.delivering())) with check (asked_at <= (select app.delivering()));
grant select, insert, delete, update (next_poll_at, poll_seconds, state) on app.device_request to breathmaster_worker;

alter table app.device_approval enable row level security;
alter table app.device_approval force row level security;
create policy device_approval_self on app.device_approval to breathmaster_owner
  using (uid = (select app.uid())) with check (uid = (select app.uid()));
create policy device_approval_delivering on app.device_approval to breathmaster_worker
  using (approved_at <= (select app.delivering())) with check (approved_at <= (select app.delivering()));
grant select, delete on app.device_approval to breathmaster_worker;

create function app.ask_device_sign_in(
  id uuid, secret_hash bytea, digest bytea, called text, from_source text, at timestamptz, until timestamptz
) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config('app.delivering', at::text, true);
  delete from app.device_request where asked_at <= at - interval '10 minutes';
  delete from app.device_approval where approved_at <= at - interval '10 minutes';
  if (select count(*) from (select from app.device_request limit 10000) as waiting) >= 10000 then
    raise exception 'too many devices wait' using errcode = '53000';
  end if;
  insert into app.device_request (request_id, hash, code_digest, device_name, source, asked_at, good_until, next_poll_at)
  values (id, secret_hash, digest, called, from_source, at, until, at);
  perform set_config('app.delivering', '', true);
end
$$;
comment on function app.ask_device_sign_in(uuid, bytea, bytea, text, text, timestamptz, timestamptz) is
  'Writes down that a device wants to be signed in. Raises 53000 with ten thousand of them.';

create function app.device_request_by_code(
  digest bytea, at timestamptz, out id uuid, out called text, out from_source text, out since timestamptz
)
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config('app.delivering', at::text, true);
  select request_id, device_name, source, asked_at into id, called, from_source, since
  from app.device_request where code_digest = digest and good_until > at and state = 'waiting';
  perform set_config('app.delivering', '', true);
end
$$;
comment on function app.device_request_by_code(bytea, timestamptz, out uuid, out text, out text, out timestamptz) is
  'The device that shows a code and waits; nulls where there is none.';

create function app.settle_device_request(id uuid, new_state text, at timestamptz) returns boolean
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  is_settled boolean;
begin
  perform set_config('app.delivering', at::text, true);
  update app.device_request set state = new_state
  where request_id = id and good_until > at and state = 'waiting';
  is_settled := found;
  perform set_config('app.delivering', '', true);
  return is_settled;
end
$$;
comment on function app.settle_device_request(uuid, text, timestamptz) is 'Whether it waited until now.';

create function app.spend_device_request(id uuid, shown bytea, at timestamptz, out outcome text, out approver uuid)
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  request record;
begin
  perform set_config('app.delivering', at::text, true);
  select * into request from app.device_request where request_id = id and hash = shown for update;
  if request.request_id is null then
    outcome := 'unknown';
  elsif request.good_until <= at then
    outcome := 'expired';
  elsif request.state = 'denied' then
    outcome := 'denied';
  elsif request.next_poll_at > at then
    update app.device_request
    set poll_seconds = least(poll_seconds + 5, 600), next_poll_at = at + make_interval(secs => least(poll_seconds + 5, 600))
    where request_id = id;
    outcome := 'too often';
  elsif request.state = 'waiting' then
    update app.device_request set next_poll_at = at + make_interval(secs => poll_seconds) where request_id = id;
    outcome := 'waiting';
  else
    delete from app.device_approval where request_id = id returning uid into approver;
    delete from app.device_request where request_id = id;
    -- Whoever said yes may be gone since.
    outcome := case when approver is null then 'unknown' else 'approved' end;
  end if;
  perform set_config('app.delivering', '', true);
end
$$;
comment on function app.spend_device_request(uuid, bytea, timestamptz, out text, out uuid) is
  'What has come of a device''s wish, and who said yes: once.';

revoke all on function app.ask_device_sign_in(uuid, bytea, bytea, text, text, timestamptz, timestamptz) from public;
revoke all on function app.device_request_by_code(bytea, timestamptz, out uuid, out text, out text, out timestamptz) from public;
revoke all on function app.settle_device_request(uuid, text, timestamptz) from public;
revoke all on function app.spend_device_request(uuid, bytea, timestamptz, out text, out uuid) from public;
grant create on schema app to breathmaster_worker;
alter function app.ask_device_sign_in(uuid, bytea, bytea, text, text, timestamptz, timestamptz) owner to breathmaster_worker;
alter function app.device_request_by_code(bytea, timestamptz, out uuid, out text, out text, out timestamptz) owner to breathmaster_worker;
alter function app.settle_device_request(uuid, text, timestamptz) owner to breathmaster_worker;
alter function app.spend_device_request(uuid, bytea, timestamptz, out text, out uuid) owner to breathmaster_worker;
revoke create on schema app from breathmaster_worker;
set local role breathmaster_worker;
grant execute on function app.ask_device_sign_in(uuid, bytea, bytea, text, text, timestamptz, timestamptz) to breathmaster_api;
grant execute on function app.device_request_by_code(bytea, timestamptz, out uuid, out text, out text, out timestamptz) to breathmaster_api;
grant execute on function app.settle_device_request(uuid, text, timestamptz) to breathmaster_owner;
grant execute on function app.spend_device_request(uuid, bytea, timestamptz, out text, out uuid) to breathmaster_owner;
set local role breathmaster_owner;

create function app.answer_device_request(id uuid, is_approved boolean, at timestamptz) returns boolean
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  me constant uuid := app.uid();
begin
  if not app.settle_device_request(id, case when is_approved then 'approved' else 'denied' end, at) then
    return false;
  end if;
  if is_approved then
    insert into app.device_approval (uid, request_id, approved_at) values (me, id, at);
  end if;
  return true;
end
$$;
comment on function app.answer_device_request(uuid, boolean, timestamptz) is
  'The bound user lets a device in as themself, or doesn''t. False where it doesn''t wait any more.';
revoke all on function app.answer_device_request(uuid, boolean, timestamptz) from public;
grant execute on function app.answer_device_request(uuid, boolean, timestamptz) to breathmaster_api;

create function app.enter_by_device_request(id uuid, shown bytea, at timestamptz, out outcome text, out entered uuid)
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  select s.outcome, s.approver into outcome, entered from app.spend_device_request(id, shown, at) as s;
  perform set_config('app.uid', coalesce(entered::text, ''), true);
end
$$;
comment on function app.enter_by_device_request(uuid, bytea, timestamptz, out text, out uuid) is
  'What has come of a device''s wish; where somebody said yes, the user to whom the transaction is bound from now on.';
revoke all on function app.enter_by_device_request(uuid, bytea, timestamptz, out text, out uuid) from public;
grant execute on function app.enter_by_device_request(uuid, bytea, timestamptz, out text, out uuid) to breathmaster_api;

create function app.forget_device_approvals() returns void
  language sql security definer
  set search_path = pg_catalog, pg_temp
as $$
  delete from app.device_approval where uid = (select app.uid());
$$;
comment on function app.forget_device_approvals() is 'Devices that the bound user has let in and that have not come back stay out.';
revoke all on function app.forget_device_approvals() from public;
grant execute on function app.forget_device_approvals() to breathmaster_api;
