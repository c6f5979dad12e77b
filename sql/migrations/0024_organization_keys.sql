-- Keys of an organization: what its programs come with, such as its directory. A transaction
-- that is bound by one acts for the organization and for nobody in it: no person is bound, so
-- every policy about people raises, and what is left are the tables that say otherwise.

create function app.key_organization_id() returns uuid
  language plpgsql stable parallel safe
  set search_path = pg_catalog, pg_temp
as $$
declare
  bound constant text := current_setting('app.key_organization_id', true);
begin
  if bound is null or bound = '' then
    raise exception 'no organization''s key is bound to this transaction'
      using errcode = 'insufficient_privilege', hint = 'call app.bind_organization first';
  end if;
  return bound::uuid;
end
$$;
comment on function app.key_organization_id() is
  'The organization whose key the transaction came by. Raises 42501 without one: beside app.organization_id(), which every member of it may be bound to.';

create function app.followed_organization_id() returns uuid
  language sql stable parallel safe
  set search_path = pg_catalog, pg_temp
as $$
  select nullif(current_setting('app.key_organization_id', true), '')::uuid
$$;
comment on function app.followed_organization_id() is
  'The same, and null without one: for the worker, whose policies stand side by side, so that one must not fail another.';
revoke all on function app.followed_organization_id() from public;
grant execute on function app.followed_organization_id() to breathmaster_worker;

insert into app.role_permission (role, permission) values ('owner', 'keys.manage'), ('admin', 'keys.manage');

create table app.organization_key (
  organization_id uuid not null references app.organization (organization_id) on delete cascade,
  key_id uuid not null,
  hash bytea not null check (octet_length(hash) = 32),
  name text not null
    constraint organization_key_name_invalid
      check (char_length(name) between 1 and 80 and name is normalized
        and name !~ '[[:cntrl:]]' and name ~ '[^[:space:]]'),
  scopes text[] not null check (cardinality(scopes) between 1 and 32),
  sources cidr[] not null check (cardinality(sources) <= 50),
  created_at timestamptz not null,
  expires_at timestamptz constraint organization_key_expiry_invalid check (expires_at > created_at),
  used_on date,
  primary key (organization_id, key_id)
);
comment on table app.organization_key is
  'What an organization lets a program of its own do. The key is kept as SHA-256 only, and even that the server cannot read.';
comment on column app.organization_key.sources is 'The networks that it is good from; from anywhere where there is none.';
comment on column app.organization_key.expires_at is 'Null for one that lasts: a directory that stops at night without a word helps nobody.';
comment on column app.organization_key.used_on is 'The last day, in UTC, on which it opened anything. Written once a day.';

alter table app.organization_key enable row level security;
alter table app.organization_key force row level security;
-- Those who manage the organization see and revoke its keys; the functions see those of the one
-- whose key they look at, or make.
create policy organization_key_managed on app.organization_key to breathmaster_api
  using (organization_id = any ((select app.permitted_organization_ids('keys.manage'))::uuid[]))
  with check (organization_id = any ((select app.permitted_organization_ids('keys.manage'))::uuid[]));
create policy organization_key_bound on app.organization_key to breathmaster_owner
  using (organization_id = (select app.key_organization_id()))
  with check (organization_id = (select app.key_organization_id()));
grant select (organization_id, key_id, name, scopes, sources, created_at, expires_at, used_on), delete
  on app.organization_key to breathmaster_api;

create function app.add_organization_key(
  organization uuid, id uuid, hash bytea, name text, scopes text[], sources text[], at timestamptz, until timestamptz
) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  if organization <> all (app.permitted_organization_ids('keys.manage')) then
    raise exception 'not an organization that this user manages' using errcode = 'BM404';
  end if;
  -- Two that are made at once take turns, so that twenty are twenty.
  perform pg_advisory_xact_lock(hashtextextended('app.organization_key ' || organization, 0));
  perform set_config('app.key_organization_id', organization::text, true);
  if (select count(*) from app.organization_key k where k.organization_id = organization) >= 20 then
    raise exception 'no room for another key' using errcode = 'BM409', constraint = 'organization_key_limit_reached';
  end if;
  insert into app.organization_key (organization_id, key_id, hash, name, scopes, sources, created_at, expires_at)
  values (organization, id, hash, name, scopes, sources::cidr[], at, until);
  -- Whoever makes a key hasn't come by it.
  perform set_config('app.key_organization_id', '', true);
end
$$;
comment on function app.add_organization_key(uuid, uuid, bytea, text, text[], text[], timestamptz, timestamptz) is
  'Of an organization that the bound user manages, BM404 otherwise. BM409 with twenty, those that are over included.';
revoke all on function app.add_organization_key(uuid, uuid, bytea, text, text[], text[], timestamptz, timestamptz) from public;
grant execute on function app.add_organization_key(uuid, uuid, bytea, text, text[], text[], timestamptz, timestamptz)
  to breathmaster_api;

-- As app.bind does, the setting is made first, the look-up runs under the policy that it opens,
-- and an error takes it back.
create function app.bind_organization(
  organization uuid, id uuid, given bytea, wanted text[], at timestamptz, source text
) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  key record;
  is_closed boolean;
begin
  -- As its own company would see it: whether it is open at all.
  perform set_config('app.uid', '00000000-0000-0000-0000-000000000000', true),
    set_config('app.organization_id', organization::text, true);
  select o.suspended_at is not null or o.deletion_due_at is not null into is_closed
  from app.organization o where o.organization_id = organization;
  perform set_config('app.uid', '', true), set_config('app.organization_id', '', true),
    set_config('app.key_organization_id', organization::text, true);
  select k.scopes, k.sources into key from app.organization_key k
  where k.organization_id = organization and k.key_id = id and k.hash = given
    and (k.expires_at is null or k.expires_at > at);
  if not found or is_closed then
    raise exception 'that key has ended' using errcode = 'BM401';
  end if;
  if cardinality(key.sources) > 0 and not source::inet <<= any (key.sources) then
    raise exception 'that key is not good from there' using errcode = 'BM401';
  end if;
  if not key.scopes && wanted then
    raise exception 'that key does not allow it' using errcode = 'BM403';
  end if;
end
$$;
comment on function app.bind_organization(uuid, uuid, bytea, text[], timestamptz, text) is
  'Binds the transaction to an organization, and to no person. Raises BM401 where the key is over, never was, or comes from outside its networks, and where the organization is closed, and BM403 where it has none of the scopes.';
revoke all on function app.bind_organization(uuid, uuid, bytea, text[], timestamptz, text) from public;
grant execute on function app.bind_organization(uuid, uuid, bytea, text[], timestamptz, text) to breathmaster_api;

create function app.note_key_use(id uuid, day date) returns void
  language sql security definer
  set search_path = pg_catalog, pg_temp
as $$
  update app.organization_key set used_on = day
  where organization_id = (select app.key_organization_id()) and key_id = id and coalesce(used_on < day, true);
$$;
comment on function app.note_key_use(uuid, date) is 'Once a day, by a transaction that came by a key of that organization.';
revoke all on function app.note_key_use(uuid, date) from public;
grant execute on function app.note_key_use(uuid, date) to breathmaster_api;
