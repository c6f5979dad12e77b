-- What a company's record, settings and end were still without: lines for its keys and its directory, who may invite,
-- how old a sign-in may be, mail to those who answer for a domain, and an end that counts the directory too.

-- MARK: The record of keys, and of what is done with them

-- squawk-ignore ban-drop-function
drop function app.add_organization_key(uuid, uuid, bytea, text, text[], text[], timestamptz, timestamptz);
create function app.add_organization_key(
  organization uuid, id uuid, hash bytea, name text, scopes text[], sources text[], until timestamptz, origin app.origin
) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform app.begin_change(organization, 'keys.manage');
  perform set_config('app.key_organization_id', organization::text, true);
  if (select count(*) from app.organization_key k where k.organization_id = organization) >= 20 then
    raise exception 'no room for another key' using errcode = 'BM409', constraint = 'organization_key_limit_reached';
  end if;
  insert into app.organization_key (organization_id, key_id, hash, name, scopes, sources, created_at, expires_at)
  values (organization, id, hash, name, scopes, sources::cidr[], origin.happened_at, until);
  -- Whoever makes a key hasn't come by it.
  perform set_config('app.key_organization_id', '', true);
  perform app.record_organization_event(organization, 'key.created', 'key:' || id, null,
    jsonb_strip_nulls(jsonb_build_object('name', name, 'scopes', scopes, 'sources', sources, 'expiresAt', until)), origin);
end
$$;
comment on function app.add_organization_key(uuid, uuid, bytea, text, text[], text[], timestamptz, app.origin) is
  'BM409 with twenty, those that are over included; other errors as app.require_permission.';

create function app.revoke_organization_key(organization uuid, id uuid, origin app.origin) returns text
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  revoked app.organization_key;
begin
  perform app.begin_change(organization, 'keys.manage');
  perform set_config('app.key_organization_id', organization::text, true);
  delete from app.organization_key k where k.organization_id = organization and k.key_id = id returning * into revoked;
  perform set_config('app.key_organization_id', '', true);
  if revoked.key_id is not null then
    perform app.record_organization_event(organization, 'key.revoked', 'key:' || id,
      jsonb_strip_nulls(jsonb_build_object('name', revoked.name, 'scopes', revoked.scopes, 'sources', revoked.sources,
        'expiresAt', revoked.expires_at)), null, origin);
  end if;
  return revoked.name;
end
$$;
comment on function app.revoke_organization_key(uuid, uuid, app.origin) is
  'It opens nothing any more: its name, null where there was no such key. Errors as app.require_permission.';
revoke all on function app.add_organization_key(uuid, uuid, bytea, text, text[], text[], timestamptz, app.origin),
  app.revoke_organization_key(uuid, uuid, app.origin) from public;
grant execute on function app.add_organization_key(uuid, uuid, bytea, text, text[], text[], timestamptz, app.origin),
  app.revoke_organization_key(uuid, uuid, app.origin) to breathmaster_api;

drop policy organization_key_managed on app.organization_key;
create policy organization_key_managed on app.organization_key for select to breathmaster_api
  using (organization_id = any ((select app.permitted_organization_ids('keys.manage'))::uuid[]));
revoke delete on app.organization_key from breathmaster_api;

-- As before, and says by which key and request the company acts, for its record.
-- squawk-ignore ban-drop-function
drop function app.bind_organization(uuid, uuid, bytea, text[], timestamptz, text);
create function app.bind_organization(
  organization uuid, id uuid, given bytea, wanted text[], origin app.origin, source text
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
  select k.name, k.scopes, k.sources into key from app.organization_key k
  where k.organization_id = organization and k.key_id = id and k.hash = given
    and (k.expires_at is null or k.expires_at > origin.happened_at);
  if not found or is_closed then
    raise exception 'that key has ended' using errcode = 'BM401';
  end if;
  if cardinality(key.sources) > 0 and not source::inet <<= any (key.sources) then
    raise exception 'that key is not good from there' using errcode = 'BM401';
  end if;
  if not key.scopes && wanted then
    raise exception 'that key does not allow it' using errcode = 'BM403';
  end if;
  perform set_config('app.key_actor', 'key:' || id || ' ' || key.name, true),
    set_config('app.key_origin', origin::text, true);
end
$$;
comment on function app.bind_organization(uuid, uuid, bytea, text[], app.origin, text) is
  'Binds the transaction to an organization, and to no person. Raises BM401 where the key is over, never was, or comes from outside its networks, and where the organization is closed, and BM403 where it has none of the scopes.';
revoke all on function app.bind_organization(uuid, uuid, bytea, text[], app.origin, text) from public;
grant execute on function app.bind_organization(uuid, uuid, bytea, text[], app.origin, text) to breathmaster_api;

create function app.record_by_key(of_organization uuid, done text, done_to text, old jsonb, new jsonb) returns void
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
declare
  person constant text := coalesce(current_setting('app.uid', true), '');
begin
  if current_setting('app.key_organization_id', true) = of_organization::text
    and coalesce(current_setting('app.key_origin', true), '') <> '' then
    -- For that moment as nobody: unbound, nothing of a company can be written.
    perform set_config('app.uid', '00000000-0000-0000-0000-000000000000', true);
    perform app.record_organization_event(of_organization, done, done_to, old, new,
      current_setting('app.key_origin')::app.origin, current_setting('app.key_actor'));
    perform set_config('app.uid', person, true);
  end if;
end
$$;
comment on function app.record_by_key(uuid, text, text, jsonb, jsonb) is
  'Adds a line to the record of the company whose key the transaction came by, in that key''s name. Nothing where it came by none, as when the company itself goes.';
revoke all on function app.record_by_key(uuid, text, text, jsonb, jsonb) from public;

create function app.directory_entry(entry app.directory_user) returns jsonb
  language sql immutable
  set search_path = pg_catalog, pg_temp
as $$
  select jsonb_strip_nulls(jsonb_build_object(
    'userName', left(entry.user_name, 120), 'externalId', left(entry.external_id, 120),
    'displayName', left(entry.display_name, 120), 'formattedName', left(entry.formatted_name, 120),
    'familyName', left(entry.family_name, 120), 'givenName', left(entry.given_name, 120),
    'emails', (
      select jsonb_agg(left(email ->> 'value', 120) order by place)
      from jsonb_array_elements(entry.emails) with ordinality as given (email, place) where place <= 5
    ),
    'active', entry.active));
$$;
comment on function app.directory_entry(app.directory_user) is
  'What the directory says of somebody, as the record has it: the beginning of each text, and five addresses.';
revoke all on function app.directory_entry(app.directory_user) from public;

-- Lines of a directory are written with the commit: the end of the record is locked for that moment and no longer, so
-- many who push at once wait little, and whoever waits for it waits for nothing else.
create function app.record_directory_user() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  old_entry jsonb;
  new_entry jsonb;
begin
  -- What a directory sends mostly is what there is.
  if tg_op = 'UPDATE' and
    (old.user_name, old.external_id, old.display_name, old.formatted_name, old.family_name, old.given_name, old.emails, old.active)
    is not distinct from
    (new.user_name, new.external_id, new.display_name, new.formatted_name, new.family_name, new.given_name, new.emails, new.active)
  then
    return null;
  end if;
  if tg_op <> 'INSERT' then
    old_entry := app.directory_entry(old);
  end if;
  if tg_op <> 'DELETE' then
    new_entry := app.directory_entry(new);
  end if;
  if tg_op <> 'UPDATE' then
    perform app.record_by_key(coalesce(new.organization_id, old.organization_id),
      case tg_op when 'INSERT' then 'directory-user.created' else 'directory-user.deleted' end,
      'directory-user:' || coalesce(new.directory_user_id, old.directory_user_id), old_entry, new_entry);
    return null;
  end if;
  perform app.record_by_key(new.organization_id,
    case when coalesce(old.active, false) = coalesce(new.active, false) then 'directory-user.changed'
      when new.active then 'directory-user.activated' else 'directory-user.deactivated' end,
    'directory-user:' || new.directory_user_id,
    (select jsonb_object_agg(key, value) from jsonb_each(old_entry) where value is distinct from new_entry -> key),
    (select jsonb_object_agg(key, value) from jsonb_each(new_entry) where value is distinct from old_entry -> key));
  return null;
end
$$;
create constraint trigger directory_user_recorded
  after insert or update or delete on app.directory_user
  deferrable initially deferred
  for each row when (coalesce(current_setting('app.key_origin', true), '') <> '') execute function app.record_directory_user();

-- Who came into a team and who went is noted as it happens, and told with the commit, in one line. Whoever the directory
-- deletes goes without: that they are deleted says it.
create function app.note_group_members() returns trigger
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
begin
  if coalesce(current_setting('app.key_origin', true), '') <> '' then
    perform set_config('app.group_members_changed', (
      coalesce(nullif(current_setting('app.group_members_changed', true), '')::jsonb, '[]')
        || coalesce((select jsonb_agg(jsonb_build_array(c.directory_group_id, c.directory_user_id, tg_op)) from changed c), '[]')
    )::text, true);
  end if;
  return null;
end
$$;
create trigger directory_group_member_added
  after insert on app.directory_group_member referencing new table as changed
  for each statement execute function app.note_group_members();
create trigger directory_group_member_removed
  after delete on app.directory_group_member referencing old table as changed
  for each statement execute function app.note_group_members();

create function app.changed_group_members(of_group uuid) returns jsonb
  language sql stable
  set search_path = pg_catalog, pg_temp
as $$
  with noted as (
    select change ->> 1 as member, change ->> 2 as done, place
    from jsonb_array_elements(nullif(current_setting('app.group_members_changed', true), '')::jsonb) with ordinality as c (change, place)
    where change ->> 0 = of_group::text
  ), changed as (
    -- Who came and went again, or the other way round, is where they were.
    select member, (array_agg(done order by place))[1] as first, (array_agg(done order by place desc))[1] as last
    from noted group by member
  ), told as (
    select case last when 'INSERT' then 'added' else 'removed' end as way,
      jsonb_build_object('count', count(*), 'users', to_jsonb((array_agg(member order by member))[1:50])) as whom
    from changed where first = last group by last
  )
  select jsonb_object_agg(way, whom) from told;
$$;
comment on function app.changed_group_members(uuid) is
  'Who came into a team of a directory and who went, in this transaction: how many, and fifty of them by their ids there. Null where nobody did.';
revoke all on function app.changed_group_members(uuid) from public;

create function app.record_directory_group() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  team constant text := 'directory-group:' || coalesce(new.directory_group_id, old.directory_group_id);
  old_entry jsonb;
  new_entry jsonb;
  members jsonb;
begin
  if tg_op <> 'INSERT' then
    old_entry := jsonb_strip_nulls(jsonb_build_object('displayName', left(old.display_name, 120), 'externalId', left(old.external_id, 120)));
  end if;
  if tg_op = 'DELETE' then
    perform app.record_by_key(old.organization_id, 'directory-group.deleted', team, old_entry, null);
    return null;
  end if;
  new_entry := jsonb_strip_nulls(jsonb_build_object('displayName', left(new.display_name, 120), 'externalId', left(new.external_id, 120)));
  if tg_op = 'INSERT' then
    perform app.record_by_key(new.organization_id, 'directory-group.created', team, null, new_entry);
  elsif old_entry <> new_entry then
    perform app.record_by_key(new.organization_id,
      case when old.display_name <> new.display_name then 'directory-group.renamed' else 'directory-group.changed' end,
      team, old_entry, new_entry);
  end if;
  members := app.changed_group_members(new.directory_group_id);
  if members is not null then
    perform app.record_by_key(new.organization_id, 'directory-group.members-changed', team, null, members);
    perform set_config('app.group_members_changed', (
      select coalesce(jsonb_agg(c.change), '[]')
      from jsonb_array_elements(nullif(current_setting('app.group_members_changed', true), '')::jsonb) as c (change)
      where c.change ->> 0 <> new.directory_group_id::text
    )::text, true);
  end if;
  return null;
end
$$;
create constraint trigger directory_group_recorded
  after insert or update or delete on app.directory_group
  deferrable initially deferred
  for each row when (coalesce(current_setting('app.key_origin', true), '') <> '') execute function app.record_directory_group();
revoke all on function app.record_directory_user(), app.note_group_members(), app.record_directory_group() from public;

-- MARK: Settings

-- squawk-ignore constraint-missing-not-valid
alter table app.organization
  add column who_may_invite text not null default 'admins'
    constraint organization_who_may_invite_invalid check (who_may_invite in ('admins', 'members')),
  add column max_sign_in_age_hours integer
    constraint organization_max_sign_in_age_hours_invalid check (max_sign_in_age_hours between 1 and 8760);
comment on column app.organization.who_may_invite is 'Whether its members may invite too, as plain members, or its owners and admins alone.';
comment on column app.organization.max_sign_in_age_hours is
  'How old the sign-in of a member may be who wants to see anything of the company. Their own practice is theirs however old it is.';

-- For ever, or for 90 days at least. Who wanted it for less has it a little longer.
alter table app.organization no force row level security;
-- squawk-ignore ban-drop-constraint
alter table app.organization drop constraint organization_audit_retention_invalid;
-- squawk-ignore ban-drop-not-null
alter table app.organization alter column audit_retention_days drop not null;
update app.organization set audit_retention_days = 90 where audit_retention_days < 90;
-- squawk-ignore constraint-missing-not-valid
alter table app.organization add constraint organization_audit_retention_invalid
  check (audit_retention_days between 90 and 36500);
alter table app.organization force row level security;
comment on column app.organization.audit_retention_days is 'For how long a line of its record is kept; null is for ever.';

-- Asked for each membership, so in a form that a query takes in.
create function app.sign_in_is_recent(hours integer) returns boolean
  language sql stable
  return hours is null or coalesce(nullif(current_setting('app.sign_in_age', true), '')::numeric <= hours * 3600, true);
comment on function app.sign_in_is_recent(integer) is
  'Whether the sign-in that the transaction came by, itself or by a token that was made in it, is no older. True for commands of the operator, which come by none.';
revoke all on function app.sign_in_is_recent(integer) from public;

insert into app.role_permission (role, permission) values ('owner', 'invitations.manage'), ('admin', 'invitations.manage');

create function app.may(who app.member, company app.organization, asked text) returns boolean
  language sql stable
  set search_path = pg_catalog, pg_temp
as $$
  select app.sign_in_is_recent(company.max_sign_in_age_hours) and (
    exists (
      select from app.role_permission p
      where p.role = who.role and p.permission = asked
        and (p.when_closed or (company.suspended_at is null and company.deletion_due_at is null)))
    or (asked = 'members.invite' and company.who_may_invite = 'members' and who.agreed_at is not null
      and company.suspended_at is null and company.deletion_due_at is null));
$$;
comment on function app.may(app.member, app.organization, text) is
  'Whether that member has that permission now: by their role, or by what the company lets every member do.';
revoke all on function app.may(app.member, app.organization, text) from public;

create or replace function app.permitted_organization_ids(asked text) returns uuid[]
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(m.organization_id), '{}')
  from app.member m join app.organization o on o.organization_id = m.organization_id
  where m.uid = (select app.uid()) and app.may(m, o, asked);
$$;
create or replace function app.own_permissions(of_organization uuid) returns text[]
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(p.permission order by p.permission), '{}')
  from app.member m
    join app.organization o on o.organization_id = m.organization_id
    cross join (select distinct permission from app.role_permission) as p
  where m.uid = (select app.uid()) and m.organization_id = of_organization and app.may(m, o, p.permission);
$$;

create or replace function app.require_permission(of_organization uuid, asked text) returns void
  language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  if of_organization = any (app.permitted_organization_ids(asked)) then
    return;
  end if;
  if of_organization <> all (app.own_organization_ids()) then
    raise exception 'no organization of this user' using errcode = 'BM404';
  end if;
  perform app.require_recent_sign_in(of_organization);
  raise exception 'that role does not allow it' using errcode = 'BM403', constraint = 'not_permitted';
end
$$;
comment on function app.require_permission(uuid, text) is
  'Raises BM404 where the bound user is no member, BM403 (not_permitted) where they do not have that permission, and BM403 (sign_in_too_old) where their sign-in is older than the company wants it.';

create function app.require_recent_sign_in(of_organization uuid) returns void
  language plpgsql stable
  set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (
    select from app.organization o
    where o.organization_id = of_organization and not app.sign_in_is_recent(o.max_sign_in_age_hours)
  ) then
    raise exception 'that sign-in is too old for the organization' using errcode = 'BM403', constraint = 'sign_in_too_old';
  end if;
end
$$;
comment on function app.require_recent_sign_in(uuid) is
  'Raises BM403 (sign_in_too_old) where the sign-in is older than a company of the bound user wants it.';
revoke all on function app.require_recent_sign_in(uuid) from public;

-- A board is seen by nobody whose sign-in is too old, also by a statement that asks for no permission.
create or replace function app.own_company_boards() returns uuid[]
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(m.organization_id), '{}')
  from app.member m
    join app.organization o on o.organization_id = m.organization_id
  where m.uid = (select app.uid()) and m.organization_id = (select app.organization_id()) and o.leaderboard_enabled
    and o.suspended_at is null and o.deletion_due_at is null and app.sign_in_is_recent(o.max_sign_in_age_hours);
$$;
comment on function app.own_company_boards() is
  'The bound organization, if the bound user is a member now whose sign-in is recent enough, it has its board on and it is not closed.';

alter table app.refresh_token add column began_at timestamptz;
comment on column app.refresh_token.began_at is
  'When somebody signed in. However often the sign-in is continued, it is as old as that. Null for those that began before this was kept, a year before they end.';
alter table app.access_token add column sign_in_began_at timestamptz;
comment on column app.access_token.sign_in_began_at is
  'When the sign-in began by which the token was made: a company that wants a recent one isn''t got around by a token.';

create or replace function app.add_access_token(
  id uuid, hash bytea, name text, scopes text[], at timestamptz, until timestamptz
) returns void
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
  insert into app.access_token (uid, token_id, hash, name, scopes, created_at, expires_at, sign_in_began_at)
  values (me, id, hash, name, scopes, at, until,
    at - make_interval(secs => nullif(current_setting('app.sign_in_age', true), '')::float8));
end
$$;

create function app.require_recent_member(of_organization uuid) returns void
  language plpgsql stable
  set search_path = pg_catalog, pg_temp
as $$
declare
  hours integer;
begin
  select o.max_sign_in_age_hours into hours
  from app.member m join app.organization o on o.organization_id = m.organization_id
  where m.organization_id = of_organization and m.uid = (select app.uid());
  if not found then
    raise exception 'not an active member of that organization' using errcode = 'BM404';
  elsif not app.sign_in_is_recent(hours) then
    raise exception 'that sign-in is too old for the organization' using errcode = 'BM403', constraint = 'sign_in_too_old';
  end if;
end
$$;
comment on function app.require_recent_member(uuid) is
  'Raises BM404 where the bound user is no member, and BM403 (sign_in_too_old) where their sign-in is older than the company wants it.';
revoke all on function app.require_recent_member(uuid) from public;

-- squawk-ignore ban-drop-function
drop function app.bind(uuid, uuid, uuid);
create function app.bind(bound_uid uuid, bound_organization uuid, bound_family uuid, at timestamptz default null) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  began timestamptz;
begin
  perform set_config('app.uid', bound_uid::text, true),
    set_config('app.organization_id', coalesce(bound_organization::text, ''), true);
  select coalesce(began_at, ends_at - interval '8760 hours') into began
  from app.refresh_token where uid = bound_uid and family = bound_family;
  if not found then
    raise exception 'that sign-in has ended' using errcode = 'BM401';
  end if;
  perform set_config('app.sign_in_age', coalesce(extract(epoch from at - began)::text, ''), true);
  if bound_organization is not null then
    perform app.require_recent_member(bound_organization);
  end if;
end
$$;
comment on function app.bind(uuid, uuid, uuid, timestamptz) is
  'Raises BM401 where the sign-in has ended or never was, BM404 where the user is not an active member, and BM403 where the sign-in is older at that moment than the organization wants it.';
create or replace function app.bind(
  bound_uid uuid, bound_organization uuid, token uuid, given bytea, scope text, at timestamptz
) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  found_token record;
begin
  perform set_config('app.uid', bound_uid::text, true),
    set_config('app.organization_id', coalesce(bound_organization::text, ''), true);
  select t.scopes, coalesce(t.sign_in_began_at, t.created_at) as began_at into found_token from app.access_token t
  where t.uid = bound_uid and t.token_id = token and t.hash = given and t.expires_at > at;
  if not found then
    raise exception 'that token has ended' using errcode = 'BM401';
  end if;
  if scope <> all (found_token.scopes) then
    raise exception 'that token does not allow it' using errcode = 'BM403';
  end if;
  perform set_config('app.sign_in_age', extract(epoch from at - found_token.began_at)::text, true);
  if bound_organization is not null then
    perform app.require_recent_member(bound_organization);
  end if;
end
$$;
comment on function app.bind(uuid, uuid, uuid, bytea, text, timestamptz) is
  'Raises BM401 where the token is over or never was, BM403 where it does not have the scope, or the sign-in by which it was made is older than the organization wants one, and BM404 where the user is not an active member.';
revoke all on function app.bind(uuid, uuid, uuid, timestamptz) from public;
grant execute on function app.bind(uuid, uuid, uuid, timestamptz) to breathmaster_api;

create or replace function app.organization_settings(of_organization app.organization) returns jsonb
  language sql immutable
  set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('name', of_organization.name, 'auditRetentionDays', of_organization.audit_retention_days,
    'domainRestricted', of_organization.domain_restricted, 'automaticJoining', of_organization.automatic_joining,
    'whoMayInvite', of_organization.who_may_invite, 'maxSignInAgeHours', of_organization.max_sign_in_age_hours,
    'leaderboard', jsonb_build_object('enabled', of_organization.leaderboard_enabled,
      'showRealNames', of_organization.show_real_names));
$$;

-- squawk-ignore ban-drop-function
drop function app.change_organization(uuid, text, boolean, boolean, integer, boolean, boolean, app.origin);
create function app.change_organization(of_organization uuid, changes jsonb, origin app.origin) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  old app.organization;
  changed app.organization;
begin
  perform app.begin_change(of_organization, 'settings.change');
  select * into old from app.organization where organization_id = of_organization;
  update app.organization set
    name = coalesce(changes ->> 'name', name),
    leaderboard_enabled = coalesce((changes #>> '{leaderboard,enabled}')::boolean, leaderboard_enabled),
    show_real_names = coalesce((changes #>> '{leaderboard,showRealNames}')::boolean, show_real_names),
    domain_restricted = coalesce((changes ->> 'domainRestricted')::boolean, domain_restricted),
    automatic_joining = coalesce((changes ->> 'automaticJoining')::boolean, automatic_joining),
    who_may_invite = coalesce(changes ->> 'whoMayInvite', who_may_invite),
    audit_retention_days = case when changes ? 'auditRetentionDays' then (changes ->> 'auditRetentionDays')::integer
      else audit_retention_days end,
    max_sign_in_age_hours = case when changes ? 'maxSignInAgeHours' then (changes ->> 'maxSignInAgeHours')::integer
      else max_sign_in_age_hours end
  where organization_id = of_organization
  returning * into changed;
  if old is distinct from changed then
    perform app.record_organization_event(of_organization, 'settings.changed', 'organization',
      app.organization_settings(old), app.organization_settings(changed), origin);
  end if;
end
$$;
comment on function app.change_organization(uuid, jsonb, app.origin) is
  'Changes the settings that are there, by the names of app.organization_settings. Errors as app.require_permission.';
revoke all on function app.change_organization(uuid, jsonb, app.origin) from public;
grant execute on function app.change_organization(uuid, jsonb, app.origin) to breathmaster_api;

-- Whom others have invited is for those to see who answer for the company.
drop policy invitation_managed on app.invitation;
create policy invitation_managed on app.invitation for select to breathmaster_api
  using (organization_id = any ((select app.permitted_organization_ids('invitations.manage'))::uuid[]));
create or replace function app.revoke_invitation(of_organization uuid, id uuid, origin app.origin) returns boolean
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform app.begin_change(of_organization, 'invitations.manage');
  delete from app.invitation where organization_id = of_organization and invitation_id = id;
  if not found then
    return false;
  end if;
  perform app.record_organization_event(of_organization, 'invitation.revoked', 'invitation:' || id, null, null, origin);
  return true;
end
$$;

create or replace function app.invite(
  of_organization uuid, id uuid, whom text, given text, origin app.origin
) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  company app.organization;
  proved boolean;
  in_domain boolean;
  waiting text;
begin
  perform app.begin_change(of_organization, 'members.invite');
  -- Who may invite and give no role, invites plain members, and takes no other invitation's place.
  if given <> 'member' then
    perform app.require_permission(of_organization, 'roles.change');
  end if;
  select * into company from app.organization where organization_id = of_organization;
  select count(*) > 0, coalesce(bool_or(domain = lower(split_part(whom, '@', 2))), false) into proved, in_domain
  from app.domain_claim where organization_id = of_organization and proved_at is not null;
  if not proved then
    raise exception 'no domain is proved' using errcode = 'BM409', constraint = 'domain_not_proved';
  end if;
  if company.domain_restricted and not in_domain then
    raise exception 'outside of the proved domains' using errcode = 'BM422', constraint = 'invitation_outside_domains';
  end if;
  delete from app.invitation where organization_id = of_organization and good_until <= origin.happened_at;
  if (select count(*) from app.invitation where organization_id = of_organization) >= 500 then
    raise exception 'no room for another invitation' using errcode = 'BM409', constraint = 'invitation_limit_reached';
  end if;
  delete from app.invitation where organization_id = of_organization and lower(address) = lower(whom) returning role into waiting;
  if waiting <> 'member' then
    perform app.require_permission(of_organization, 'invitations.manage');
  end if;
  insert into app.invitation (organization_id, invitation_id, address, role, invited_at, good_until)
  values (of_organization, id, whom, given, origin.happened_at, origin.happened_at + interval '7 days');
  if not app.outbox_has_room(origin.happened_at) then
    raise exception 'the outbox is full' using errcode = '53000';
  end if;
  insert into app.outbox (uid, message_id, kind, recipient, about, written_at, good_until, due_at)
  values (app.uid(), id, 'invitation', whom, company.name, origin.happened_at, origin.happened_at + interval '1 day',
    origin.happened_at);
  perform app.record_organization_event(of_organization, 'invitation.sent', 'invitation:' || id, null,
    jsonb_build_object('address', whom, 'role', given), origin);
end
$$;
comment on function app.invite(uuid, uuid, text, text, app.origin) is
  'Asks an address into the company, by mail. Another one takes the place of the one before. BM409 where no domain is proved or 500 wait, BM422 where the address is outside of the domains and that matters, BM403 for a role that is not the bound user''s to give.';

-- MARK: Mail to those who answer for a domain

-- What may wait here is little, and gone soon.
-- squawk-ignore ban-drop-constraint
alter table app.outbox drop constraint outbox_kind_check, drop constraint outbox_about_invalid;
-- squawk-ignore constraint-missing-not-valid
alter table app.outbox add constraint outbox_kind_check
  check (kind in ('emailCode', 'passwordReset', 'passwordChanged', 'invitation', 'domainLost', 'domainLapsed'));
-- squawk-ignore constraint-missing-not-valid
alter table app.outbox add constraint outbox_about_invalid check (char_length(about) <= 253);

create function app.administrators(of_organization uuid, at timestamptz) returns uuid[]
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  found_uids uuid[];
begin
  perform set_config('app.tending', at::text, true);
  select coalesce(array_agg(uid order by uid), '{}') into found_uids from app.member
  where organization_id = of_organization and role in ('owner', 'admin');
  perform set_config('app.tending', '', true);
  return found_uids;
end
$$;
comment on function app.administrators(uuid, timestamptz) is 'The owners and admins of the bound organization.';
revoke all on function app.administrators(uuid, timestamptz) from public;

create function app.mail_about_domain(whom uuid[], of_kind text, held_domain text, at timestamptz) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  nobody constant text := current_setting('app.uid');
  administrator uuid;
begin
  -- While no mail server takes any, what becomes of a domain doesn't wait: the record and the overview tell of it too.
  if not app.outbox_has_room(at) then
    return;
  end if;
  -- In the name of each, under the policies that hold them.
  foreach administrator in array whom loop
    perform set_config('app.uid', administrator::text, true);
    insert into app.outbox (uid, message_id, kind, recipient, about, written_at, good_until, due_at)
    select uid, gen_random_uuid(), of_kind, address, held_domain, at, at + interval '1 day', at
    from app.email_claim where uid = (select app.uid());
  end loop;
  perform set_config('app.uid', nobody, true);
end
$$;
comment on function app.mail_about_domain(uuid[], text, text, timestamptz) is
  'Tells those people, at each of their addresses, what became of a domain; nobody, where the outbox is full.';
revoke all on function app.mail_about_domain(uuid[], text, text, timestamptz) from public;

create or replace function app.recheck_domain(of_organization uuid, held text, seen text[], origin app.origin) returns text
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  claim app.domain_claim;
  -- Before those among them are gone who joined by that domain.
  answerable uuid[];
  ended integer;
begin
  perform app.bind_organization(of_organization);
  select * into claim from app.domain_claim
  where organization_id = of_organization and domain = held and proved_at is not null and token is not null;
  if not found then
    return 'gone';
  end if;
  if seen is null then
    update app.domain_claim set due_at = origin.happened_at + interval '1 hour'
    where organization_id = of_organization and domain = held;
    return 'unanswered';
  end if;
  if claim.token = any (seen) then
    update app.domain_claim
    set checked_at = origin.happened_at, due_at = origin.happened_at + interval '1 day', lost_at = null
    where organization_id = of_organization and domain = held;
    if claim.lost_at is not null then
      perform app.record_organization_event(of_organization, 'domain.found', 'domain:' || held, null, null, origin, 'system');
    end if;
    return 'proved';
  end if;
  answerable := app.administrators(of_organization, origin.happened_at);
  if claim.lost_at <= origin.happened_at - interval '7 days' then
    delete from app.domain_claim where organization_id = of_organization and domain = held;
    ended := app.end_memberships_by(of_organization, held, origin.happened_at);
    perform app.mail_about_domain(answerable, 'domainLapsed', held, origin.happened_at);
    perform app.record_organization_event(of_organization, 'domain.lapsed', 'domain:' || held,
      jsonb_build_object('provedAt', claim.proved_at, 'lostAt', claim.lost_at),
      jsonb_build_object('membershipsEnded', ended), origin, 'system');
    return 'lapsed';
  end if;
  update app.domain_claim
  set checked_at = origin.happened_at, due_at = origin.happened_at + interval '1 day',
    lost_at = coalesce(claim.lost_at, origin.happened_at)
  where organization_id = of_organization and domain = held;
  if claim.lost_at is null then
    perform app.mail_about_domain(answerable, 'domainLost', held, origin.happened_at);
    perform app.record_organization_event(of_organization, 'domain.lost', 'domain:' || held, null,
      jsonb_build_object('lapsesAt', origin.happened_at + interval '7 days'), origin, 'system');
  end if;
  return 'lost';
end
$$;
comment on function app.recheck_domain(uuid, text, text[], app.origin) is
  'What became of a proved claim: proved, lost for less than seven days, lapsed with the memberships that hang on it, unanswered, or gone meanwhile. Owners and admins are mailed once when it is lost, and once when it lapses.';

-- MARK: A company that is opened again

-- Whom the directory has, and who showed their address while the company was closed, is put in.
create function app.greet_directory(of_organization uuid) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  outer_organization constant text := coalesce(current_setting('app.key_organization_id', true), '');
begin
  perform set_config('app.key_organization_id', of_organization::text, true);
  insert into app.member (organization_id, uid, role, agreed_at, directory_user_id, domain)
  select distinct on (e.uid) of_organization, e.uid, 'member', null::timestamptz, d.directory_user_id, e.domain
  from app.directory_user d
    join app.email_claim e on e.mailbox = d.address
  where d.organization_id = of_organization and d.active and not d.declined
    and e.domain = any ((select app.provisioned_domains())::text[])
  order by e.uid, d.directory_user_id
  on conflict (organization_id, uid) do update set directory_user_id = excluded.directory_user_id
    where member.directory_user_id is null and member.role <> 'owner';
  perform set_config('app.key_organization_id', outer_organization, true);
end
$$;
comment on function app.greet_directory(uuid) is
  'Makes members of those whom a company''s directory has and whose address in a proved domain is somebody''s.';
revoke all on function app.greet_directory(uuid) from public;

create or replace function app.suspend_organization(of_organization uuid, closed boolean, origin app.origin) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform app.bind_organization(of_organization);
  update app.organization set suspended_at = case when closed then origin.happened_at end
  where organization_id = of_organization and (suspended_at is not null) <> closed;
  if found then
    perform app.record_organization_event(of_organization,
      case when closed then 'organization.suspended' else 'organization.resumed' end, 'organization', null, null, origin,
      'operator');
    if not closed then
      perform app.greet_directory(of_organization);
    end if;
  end if;
end
$$;

create or replace function app.cancel_deletion(of_organization uuid, origin app.origin) returns boolean
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform app.begin_change(of_organization, 'organization.delete');
  -- One that has begun goes on: part of the company is gone.
  delete from app.organization_deletion where organization_id = of_organization and begun_at is null;
  if not found then
    return false;
  end if;
  update app.organization set deletion_due_at = null where organization_id = of_organization;
  perform app.record_organization_event(of_organization, 'organization.deletion-cancelled', 'organization', null, null, origin);
  perform app.greet_directory(of_organization);
  return true;
end
$$;

-- MARK: Addresses in a directory, to be found by

create table app.directory_email (
  organization_id uuid not null,
  email_key text not null,
  directory_user_id uuid not null,
  primary key (organization_id, email_key, directory_user_id),
  constraint directory_email_user foreign key (organization_id, directory_user_id)
    references app.directory_user (organization_id, directory_user_id) on delete cascade
);
comment on table app.directory_email is
  'By which addresses somebody in a company''s directory is found: those of app.directory_user, one a row.';
comment on column app.directory_email.email_key is 'In lower case, and no longer than an index takes.';
create index directory_email_by_user on app.directory_email (organization_id, directory_user_id);

alter table app.directory_email enable row level security;
alter table app.directory_email force row level security;
create policy directory_email_provisioned on app.directory_email for select to breathmaster_api
  using (organization_id = (select app.key_organization_id()));
create policy directory_email_followed on app.directory_email to breathmaster_worker
  using (organization_id = (select app.followed_organization_id()))
  with check (organization_id = (select app.followed_organization_id()));
grant select on app.directory_email to breathmaster_api;
grant select, insert, delete on app.directory_email to breathmaster_worker;

create function app.index_directory_emails() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'UPDATE' then
    delete from app.directory_email where organization_id = new.organization_id and directory_user_id = new.directory_user_id;
  end if;
  insert into app.directory_email (organization_id, email_key, directory_user_id)
  select distinct new.organization_id, left(lower(email ->> 'value'), 320), new.directory_user_id
  from jsonb_array_elements(new.emails) as given (email)
  where email ->> 'value' is not null;
  return null;
end
$$;
create trigger directory_user_indexed
  after insert on app.directory_user
  for each row when (new.emails <> '[]') execute function app.index_directory_emails();
create trigger directory_user_reindexed
  after update of emails on app.directory_user
  for each row when (old.emails is distinct from new.emails) execute function app.index_directory_emails();
revoke all on function app.index_directory_emails() from public;

alter table app.directory_user no force row level security;
alter table app.directory_email no force row level security;
insert into app.directory_email (organization_id, email_key, directory_user_id)
select distinct d.organization_id, left(lower(email ->> 'value'), 320), d.directory_user_id
from app.directory_user d, jsonb_array_elements(d.emails) as given (email)
where email ->> 'value' is not null;
alter table app.directory_email force row level security;
alter table app.directory_user force row level security;

-- MARK: The end of a company

-- The worker has several jobs, whose policies stand side by side: these must not raise where no key is bound.
alter policy directory_user_provisioned on app.directory_user to breathmaster_api;
create policy directory_user_followed on app.directory_user to breathmaster_worker
  using (organization_id = (select app.followed_organization_id()))
  with check (organization_id = (select app.followed_organization_id()));
alter policy directory_tally_provisioned on app.directory_tally to breathmaster_api;
create policy directory_tally_followed on app.directory_tally to breathmaster_worker
  using (organization_id = (select app.followed_organization_id()))
  with check (organization_id = (select app.followed_organization_id()));
drop policy directory_leaver_provisioned on app.directory_leaver;
create policy directory_leaver_followed on app.directory_leaver to breathmaster_worker
  using (organization_id = (select app.followed_organization_id()))
  with check (organization_id = (select app.followed_organization_id()));

create policy directory_user_tended on app.directory_user to breathmaster_worker
  using (organization_id = (select app.tended_organization_id()))
  with check (organization_id = (select app.tended_organization_id()));
create policy directory_group_tended on app.directory_group to breathmaster_worker
  using (organization_id = (select app.tended_organization_id()))
  with check (organization_id = (select app.tended_organization_id()));
create policy directory_group_member_tended on app.directory_group_member to breathmaster_worker
  using (organization_id = (select app.tended_organization_id()))
  with check (organization_id = (select app.tended_organization_id()));
create policy directory_tally_tended on app.directory_tally to breathmaster_worker
  using (organization_id = (select app.tended_organization_id()))
  with check (organization_id = (select app.tended_organization_id()));
create policy directory_leaver_tended on app.directory_leaver to breathmaster_worker
  using (organization_id = (select app.tended_organization_id()))
  with check (organization_id = (select app.tended_organization_id()));
create policy organization_key_tended on app.organization_key to breathmaster_worker
  using (organization_id = (select app.tended_organization_id()))
  with check (organization_id = (select app.tended_organization_id()));
grant delete on app.directory_user, app.directory_tally to breathmaster_worker;
grant select (organization_id, directory_group_id), delete on app.directory_group to breathmaster_worker;
grant select (organization_id, directory_group_id, directory_user_id), delete on app.directory_group_member to breathmaster_worker;
grant select (organization_id, key_id), delete on app.organization_key to breathmaster_worker;

-- MARK: A company with members has an owner

create function app.has_only_owner(of_organization uuid, who uuid) returns boolean
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  outer_organization constant text := coalesce(current_setting('app.key_organization_id', true), '');
  only boolean;
begin
  perform set_config('app.key_organization_id', of_organization::text, true);
  select count(*) > 0 and bool_and(role <> 'owner') into only
  from app.member where organization_id = of_organization and uid <> who;
  perform set_config('app.key_organization_id', outer_organization, true);
  return only;
end
$$;
comment on function app.has_only_owner(uuid, uuid) is 'Whether a company has members, and no owner, beside that one.';
revoke all on function app.has_only_owner(uuid, uuid) from public;

create function app.keep_an_owner() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  bound constant text := coalesce(current_setting('app.organization_id', true), '');
  person constant text := coalesce(current_setting('app.uid', true), '');
begin
  -- As nobody in particular, where nobody is bound, as when a company's program acts.
  perform set_config('app.organization_id', old.organization_id::text, true),
    set_config('app.uid', coalesce(nullif(person, ''), '00000000-0000-0000-0000-000000000000'), true);
  -- Two owners who go at once take turns. Of a company that is being deleted everybody goes.
  perform from app.organization where organization_id = old.organization_id and deletion_due_at is null for no key update;
  if found and app.has_only_owner(old.organization_id, old.uid) then
    raise exception 'the last owner' using errcode = 'BM409', constraint = 'last_owner';
  end if;
  perform set_config('app.organization_id', bound, true), set_config('app.uid', person, true);
  return old;
end
$$;
create trigger member_owner_kept
  before delete on app.member
  for each row when (old.role = 'owner') execute function app.keep_an_owner();
revoke all on function app.keep_an_owner() from public;

grant create on schema app to breathmaster_worker;
alter function app.administrators(uuid, timestamptz) owner to breathmaster_worker;
alter function app.greet_directory(uuid) owner to breathmaster_worker;
alter function app.index_directory_emails() owner to breathmaster_worker;
alter function app.has_only_owner(uuid, uuid) owner to breathmaster_worker;
set local role breathmaster_worker;
grant execute on function app.administrators(uuid, timestamptz), app.greet_directory(uuid), app.has_only_owner(uuid, uuid)
  to breathmaster_owner;

create or replace function app.greet_domain() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform app.greet_directory(new.organization_id);
  return null;
end
$$;

set local role breathmaster_owner;
revoke create on schema app from breathmaster_worker;
