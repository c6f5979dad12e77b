-- Holding the door: how often somebody may knock, which tokens open it, and a record
-- of who came in.

-- The generic cell rate algorithm (ITU-T I.371, annex A.1): one time for each subject says
-- how much of its quota is spent, so a row is enough for a window that slides. No person
-- can be read from it, since a subject is a keyed digest of an address or an account, and
-- it is asked before anybody is bound: so there is no row security here, and no grant.
-- Unlogged, because what a crash would lose is that somebody has to wait: counting writes
-- no log, and so no commit waits for a disk.
create unlogged table app.rate_limit (
  subject bytea primary key check (octet_length(subject) = 16),
  free_at timestamptz not null
);
comment on table app.rate_limit is
  'How much of a quota is spent, by a keyed digest of whose it is and of what. Lost with a crash, on purpose; forgotten as soon as the whole quota is there again.';
comment on column app.rate_limit.free_at is 'When the whole quota is there again: the theoretical arrival time of the algorithm.';

-- The clock is the caller's, so that a test need not wait. What is taken stays taken
-- where a later quota refuses: who knocks at a closed door has knocked.
create function app.take(subjects bytea[], quotas integer[], seconds integer[], at timestamptz,
  out refused integer, out retry_after integer)
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  span interval;
  step interval;
begin
  for n in 1 .. cardinality(subjects) loop
    span := make_interval(secs => seconds[n]);
    step := span / quotas[n];
    insert into app.rate_limit as l (subject, free_at) values (subjects[n], at + step)
    on conflict (subject) do update set free_at = greatest(l.free_at, at) + step
      where greatest(l.free_at, at) + step <= at + span;
    if not found then
      select n, greatest(1, ceil(extract(epoch from l.free_at + step - span - at)))
      into refused, retry_after
      from app.rate_limit l where l.subject = subjects[n];
      return;
    end if;
  end loop;
end
$$;
comment on function app.take(bytea[], integer[], integer[], timestamptz) is
  'Takes one of each quota, in turn: the position of the one that is spent, and the seconds until there is one again. Nulls where there was one of each.';
revoke all on function app.take(bytea[], integer[], integer[], timestamptz) from public;
grant execute on function app.take(bytea[], integer[], integer[], timestamptz) to breathmaster_api;

create function app.forget_rate_limits(at timestamptz, most integer) returns integer
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  forgotten integer;
begin
  delete from app.rate_limit where subject in (
    select subject from app.rate_limit where free_at <= at limit most for update skip locked
  );
  get diagnostics forgotten = row_count;
  return forgotten;
end
$$;
comment on function app.forget_rate_limits(timestamptz, integer) is
  'Removes what says no more than its absence would: how many.';
revoke all on function app.forget_rate_limits(timestamptz, integer) from public;
grant execute on function app.forget_rate_limits(timestamptz, integer) to breathmaster_api;

-- A sign-in ends for good, however often it is continued.
alter table app.refresh_token
  add column ends_at timestamptz not null default now() + interval '1 year',
  add column rotated_at timestamptz;
comment on column app.refresh_token.ends_at is 'When the sign-in ends, whatever expires_at was moved to.';
comment on column app.refresh_token.rotated_at is
  'When current_hash was first asked for. The token before it is asked for again within seconds when an answer was lost; later than that is worth a line in the record.';

create table app.access_token (
  uid uuid not null references app.user (uid) on delete cascade,
  token_id uuid not null,
  hash bytea not null check (octet_length(hash) = 32),
  name text not null
    constraint access_token_name_invalid
      check (char_length(name) between 1 and 80 and name is normalized
        and name !~ '[[:cntrl:]]' and name ~ '[^[:space:]]'),
  scopes text[] not null check (cardinality(scopes) between 1 and 32),
  created_at timestamptz not null,
  expires_at timestamptz not null
    constraint access_token_expiry_invalid
      check (expires_at > created_at and expires_at <= created_at + interval '366 days'),
  used_on date,
  primary key (uid, token_id)
);
comment on table app.access_token is
  'What a person lets a program of their own do. The token is kept as SHA-256 only, and even that the server cannot read.';
comment on column app.access_token.used_on is 'The last day, in UTC, on which it opened anything. Written once a day.';

alter table app.access_token enable row level security;
alter table app.access_token force row level security;
create policy access_token_self on app.access_token to breathmaster_api, breathmaster_owner
  using (uid = (select app.uid())) with check (uid = (select app.uid()));
grant select (uid, token_id, name, scopes, created_at, expires_at, used_on), delete, update (used_on)
  on app.access_token to breathmaster_api;

create function app.add_access_token(id uuid, hash bytea, name text, scopes text[], at timestamptz, until timestamptz)
  returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  me constant uuid := app.uid();
begin
  -- Two that are made at once take turns, so that twenty are twenty.
  perform from app.user where uid = me for no key update;
  if (select count(*) from app.access_token t where t.uid = me) >= 20 then
    raise exception 'no room for another token' using errcode = 'BM409', constraint = 'access_token_limit_reached';
  end if;
  insert into app.access_token (uid, token_id, hash, name, scopes, created_at, expires_at)
  values (me, id, hash, name, scopes, at, until);
end
$$;
comment on function app.add_access_token(uuid, bytea, text, text[], timestamptz, timestamptz) is
  'Of the bound user. BM409 with twenty, those that are over included.';
revoke all on function app.add_access_token(uuid, bytea, text, text[], timestamptz, timestamptz) from public;
grant execute on function app.add_access_token(uuid, bytea, text, text[], timestamptz, timestamptz) to breathmaster_api;

-- Binds the transaction to a person by a token of theirs, for one thing that it allows.
create function app.bind(bound_uid uuid, bound_organization uuid, token uuid, given bytea, scope text, at timestamptz)
  returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  allowed text[];
begin
  perform set_config('app.uid', bound_uid::text, true),
    set_config('app.organization_id', coalesce(bound_organization::text, ''), true);
  select scopes into allowed from app.access_token
  where uid = bound_uid and token_id = token and hash = given and expires_at > at;
  if not found then
    raise exception 'that token has ended' using errcode = 'BM401';
  end if;
  if scope <> all (allowed) then
    raise exception 'that token does not allow it' using errcode = 'BM403';
  end if;
  if bound_organization is not null and not exists (
    select from app.member where organization_id = bound_organization and uid = bound_uid
  ) then
    raise exception 'not an active member of that organization' using errcode = 'BM404';
  end if;
end
$$;
comment on function app.bind(uuid, uuid, uuid, bytea, text, timestamptz) is
  'Raises BM401 where the token is over or never was, BM403 where it does not have the scope, and BM404 where the user is not an active member.';
revoke all on function app.bind(uuid, uuid, uuid, bytea, text, timestamptz) from public;
grant execute on function app.bind(uuid, uuid, uuid, bytea, text, timestamptz) to breathmaster_api;

create table app.audit_event (
  uid uuid not null references app.user (uid) on delete cascade,
  happened_at timestamptz not null,
  event_id uuid not null default gen_random_uuid(),
  action text not null check (char_length(action) between 1 and 60),
  request_id uuid not null,
  source text not null check (char_length(source) <= 60),
  detail text check (char_length(detail) between 1 and 1000),
  primary key (uid, happened_at, event_id)
);
comment on table app.audit_event is
  'What happened to a person''s account, for that person. Can be added to and read, and changed by nobody; it goes with the account.';
comment on column app.audit_event.source is 'The network that the request came from: 24 bits of an IPv4 address, 48 of an IPv6.';

alter table app.audit_event enable row level security;
alter table app.audit_event force row level security;
create policy audit_event_self on app.audit_event to breathmaster_api, breathmaster_owner
  using (uid = (select app.uid())) with check (uid = (select app.uid()));
grant select, insert on app.audit_event to breathmaster_api;
