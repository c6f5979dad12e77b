-- Companies that people found by themselves: who may do what in one, and a record of it
-- that nobody can change unnoticed.
--
-- Every change to a company is a function of the owner's that writes its line of the
-- record itself, so there is no change without its line and no line without its change.

-- By which request something is done. A function that changes a company takes one.
create type app.origin as (request_id uuid, source text, happened_at timestamptz);
comment on type app.origin is 'By which request, from where and when. The server''s clock says when.';

-- MARK: Roles

create table app.role_permission (
  role text not null check (role in ('owner', 'admin', 'analyst', 'member')),
  permission text not null check (permission ~ '^[a-z]+\.[a-z]+$'),
  primary key (role, permission)
);
comment on table app.role_permission is
  'What each role may do in its company. The only place that says so: policies and functions ask it, through app.permitted_organization_ids.';
insert into app.role_permission (role, permission) values
  ('owner', 'settings.change'), ('admin', 'settings.change'),
  ('owner', 'members.read'), ('admin', 'members.read'),
  ('owner', 'members.invite'), ('admin', 'members.invite'),
  ('owner', 'members.remove'), ('admin', 'members.remove'),
  ('owner', 'roles.change'), ('admin', 'roles.change'),
  ('owner', 'domains.manage'), ('admin', 'domains.manage'),
  ('owner', 'audit.read'), ('admin', 'audit.read'),
  ('owner', 'overview.read'), ('admin', 'overview.read'), ('analyst', 'overview.read'),
  ('owner', 'ownership.transfer'),
  ('owner', 'organization.delete');

create function app.permitted_organization_ids(asked text) returns uuid[]
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(m.organization_id), '{}')
  from app.member m join app.role_permission p on p.role = m.role
  where m.uid = (select app.uid()) and p.permission = asked;
$$;
comment on function app.permitted_organization_ids(text) is 'Every organization in which the bound user''s role has that permission.';
revoke all on function app.permitted_organization_ids(text) from public;
grant execute on function app.permitted_organization_ids(text) to breathmaster_api, breathmaster_boards;

create function app.own_permissions(of_organization uuid) returns text[]
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(p.permission order by p.permission), '{}')
  from app.member m join app.role_permission p on p.role = m.role
  where m.uid = (select app.uid()) and m.organization_id = of_organization;
$$;
comment on function app.own_permissions(uuid) is 'What the bound user may do in that organization.';
revoke all on function app.own_permissions(uuid) from public;
grant execute on function app.own_permissions(uuid) to breathmaster_api;

create function app.require_permission(of_organization uuid, asked text) returns void
  language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  if of_organization = any (app.permitted_organization_ids(asked)) then
    return;
  end if;
  if of_organization = any (app.own_organization_ids()) then
    raise exception 'that role does not allow it' using errcode = 'BM403', constraint = 'not_permitted';
  end if;
  raise exception 'no organization of this user' using errcode = 'BM404';
end
$$;
comment on function app.require_permission(uuid, text) is
  'Raises BM404 where the bound user is no member, and BM403 where their role does not have that permission.';
revoke all on function app.require_permission(uuid, text) from public;
grant execute on function app.require_permission(uuid, text) to breathmaster_api;

-- Changes to one company are made one after the other: two owners who leave at once
-- must not both find another. Who is refused never gets to the lock; whose role was
-- taken while they waited for it is refused then.
create function app.begin_change(of_organization uuid, asked text) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform app.require_permission(of_organization, asked);
  perform set_config('app.organization_id', of_organization::text, true);
  perform from app.organization where organization_id = of_organization for no key update;
  perform app.require_permission(of_organization, asked);
end
$$;
comment on function app.begin_change(uuid, text) is
  'Binds the organization and takes its turn, for what the bound user''s role allows. Errors as app.require_permission.';
revoke all on function app.begin_change(uuid, text) from public;

-- For what nobody in particular does: the operator, and jobs. No person has this uid, so
-- no policy of a person's opens.
create function app.bind_organization(bound_organization uuid) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config('app.uid', '00000000-0000-0000-0000-000000000000', true),
    set_config('app.organization_id', bound_organization::text, true);
  perform from app.organization where organization_id = bound_organization for no key update;
  if not found then
    raise exception 'no such organization' using errcode = 'BM404';
  end if;
end
$$;
comment on function app.bind_organization(uuid) is
  'Binds the transaction to an organization and to nobody, and takes its turn. Raises BM404 where there is none.';
revoke all on function app.bind_organization(uuid) from public;

-- MARK: The record

alter table app.organization
  add column audit_retention_days integer not null default 365
    constraint organization_audit_retention_invalid check (audit_retention_days between 30 and 3650);
comment on column app.organization.audit_retention_days is 'For how long a line of its record is kept.';

create table app.organization_event (
  organization_id uuid not null references app.organization (organization_id) on delete cascade,
  number bigint not null check (number >= 1),
  happened_at timestamptz not null,
  actor text not null check (char_length(actor) between 1 and 200),
  action text not null check (char_length(action) between 1 and 60),
  target text not null check (char_length(target) between 1 and 300),
  before jsonb check (pg_column_size(before) <= 8192),
  after jsonb check (pg_column_size(after) <= 8192),
  source text not null check (char_length(source) <= 60),
  request_id uuid not null,
  hash bytea not null check (octet_length(hash) = 32),
  primary key (organization_id, number)
);
comment on table app.organization_event is
  'What was done to a company, for those who answer for it. Lines are added and read, and changed by nobody; each holds a hash of itself and the one before.';
comment on column app.organization_event.actor is
  'Who did it, as text that outlives them: user:UID, operator, system, or another feature''s word such as directory:ID.';
comment on column app.organization_event.target is 'What it was done to, in the same form: organization, user:UID, domain:NAME.';
comment on column app.organization_event.before is 'What it was before; never a secret.';
comment on column app.organization_event.source is 'Where the request came from: an address for what a role allows, its network alone for what people do with themselves.';
create index organization_event_by_time on app.organization_event (organization_id, happened_at);

create table app.organization_event_head (
  organization_id uuid primary key references app.organization (organization_id) on delete cascade,
  last_number bigint not null,
  last_hash bytea not null,
  forgotten_number bigint not null default 0,
  forgotten_hash bytea not null default '\x'
);
comment on table app.organization_event_head is
  'Where a company''s record ends, so that a missing end is noticed, and where it begins since older lines were forgotten.';

alter table app.organization_event enable row level security;
alter table app.organization_event force row level security;
-- Two policies and no third: the owner's own functions can add and read lines, and have
-- nothing to change or remove one with.
create policy organization_event_kept on app.organization_event for select to breathmaster_owner
  using (organization_id = (select app.organization_id()));
create policy organization_event_added on app.organization_event for insert to breathmaster_owner
  with check (organization_id = (select app.organization_id()));
create policy organization_event_audited on app.organization_event for select to breathmaster_api
  using (organization_id = any ((select app.permitted_organization_ids('audit.read'))::uuid[]));
revoke update, truncate on app.organization_event from breathmaster_owner;
grant select on app.organization_event to breathmaster_api;

alter table app.organization_event_head enable row level security;
alter table app.organization_event_head force row level security;
create policy organization_event_head_bound on app.organization_event_head to breathmaster_owner
  using (organization_id = (select app.organization_id()))
  with check (organization_id = (select app.organization_id()));

-- Of everything in the line, in a form that no setting of a session changes.
create function app.organization_event_hash(event app.organization_event, previous bytea) returns bytea
  language sql stable
  set search_path = pg_catalog, pg_temp
as $$
  select sha256(previous || convert_to(jsonb_build_array(event.organization_id, event.number,
    (extract(epoch from event.happened_at) * 1000000)::bigint, event.actor, event.action, event.target, event.before,
    event.after, event.source, event.request_id)::text, 'UTF8'));
$$;
revoke all on function app.organization_event_hash(app.organization_event, bytea) from public;

create function app.record_organization_event(
  of_organization uuid, done text, done_to text, old jsonb, new jsonb, origin app.origin, by_actor text default null
) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  bound constant text := coalesce(current_setting('app.organization_id', true), '');
  head app.organization_event_head;
  event app.organization_event;
begin
  perform set_config('app.organization_id', of_organization::text, true);
  insert into app.organization_event_head (organization_id, last_number, last_hash) values (of_organization, 0, '\x')
  on conflict do nothing;
  select * into head from app.organization_event_head where organization_id = of_organization for update;
  event := row(of_organization, head.last_number + 1, origin.happened_at, coalesce(by_actor, 'user:' || app.uid()), done,
    done_to, old, new, origin.source, origin.request_id, null);
  event.hash := app.organization_event_hash(event, head.last_hash);
  insert into app.organization_event values (event.*);
  update app.organization_event_head set last_number = event.number, last_hash = event.hash
  where organization_id = of_organization;
  perform set_config('app.organization_id', bound, true);
end
$$;
comment on function app.record_organization_event(uuid, text, text, jsonb, jsonb, app.origin, text) is
  'Adds a line to a company''s record, in the transaction of what it tells. For functions that change something of a company, of whichever feature; the actor is the bound user where none is named. Callers have asked before whether that may be done.';
revoke all on function app.record_organization_event(uuid, text, text, jsonb, jsonb, app.origin, text) from public;

create function app.verify_organization_events(
  of_organization uuid, out events bigint, out wrong bigint, out why text, out last_number bigint, out last_hash bytea
)
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  head app.organization_event_head;
begin
  perform app.bind_organization(of_organization);
  select * into head from app.organization_event_head where organization_id = of_organization;
  last_number := coalesce(head.last_number, 0);
  last_hash := coalesce(head.last_hash, '\x');
  select count(*) into events from app.organization_event where organization_id = of_organization;
  select found.number, found.why into wrong, why
  from (
    select e.number, case
        when e.number <> lag(e.number, 1, coalesce(head.forgotten_number, 0)) over chain + 1 then 'the line before is missing'
        when e.hash <> app.organization_event_hash(e, lag(e.hash, 1, coalesce(head.forgotten_hash, '\x')) over chain)
          then 'the line is not what was written'
      end as why
    from app.organization_event e
    where e.organization_id = of_organization
    window chain as (order by e.number)
  ) as found
  where found.why is not null
  order by found.number
  limit 1;
  if wrong is null and not exists (
    select from app.organization_event e
    where e.organization_id = of_organization and e.number = head.last_number and e.hash = head.last_hash
  ) and last_number > coalesce(head.forgotten_number, 0) then
    wrong := last_number;
    why := 'the last line is missing, or is not what was written';
  end if;
end
$$;
comment on function app.verify_organization_events(uuid) is
  'How many lines a company''s record has, and the first that is not what was written. Nothing is wrong where that is null. The last number and hash, noted elsewhere, tell later that not even the whole was written anew.';
revoke all on function app.verify_organization_events(uuid) from public;

-- What is older than a company wants it kept goes, by a job, and with it the ability to
-- say more than where the rest began.
--
-- The worker has several jobs, whose policies stand side by side on a table: each has to get
-- by the others', so these answer nothing, rather than raise, where nobody tends to companies.
create function app.tending() returns timestamptz
  language sql stable parallel safe
  set search_path = pg_catalog, pg_temp
as $$
  select nullif(current_setting('app.tending', true), '')::timestamptz;
$$;
comment on function app.tending() is
  'The moment at which a job tends to companies: its policies let it see those that were there by then. Null when there is none.';
create function app.tended_organization_id() returns uuid
  language sql stable parallel safe
  set search_path = pg_catalog, pg_temp
as $$
  select nullif(current_setting('app.organization_id', true), '')::uuid where app.tending() is not null;
$$;
comment on function app.tended_organization_id() is 'The bound organization while a job tends to it, and null otherwise.';
revoke all on function app.tending(), app.tended_organization_id() from public;
grant execute on function app.tending(), app.tended_organization_id() to breathmaster_worker;

create policy organization_tended on app.organization for select to breathmaster_worker
  using (created_at <= (select app.tending()));
create policy organization_event_tended on app.organization_event for select to breathmaster_worker
  using (happened_at <= (select app.tending()));
create policy organization_event_forgotten on app.organization_event for delete to breathmaster_worker
  using (organization_id = (select app.tended_organization_id()) and happened_at <= (select app.tending()));
create policy organization_event_head_tended on app.organization_event_head to breathmaster_worker
  using (organization_id = (select app.tended_organization_id()))
  with check (organization_id = (select app.tended_organization_id()));
grant select (organization_id, created_at, audit_retention_days) on app.organization to breathmaster_worker;
grant select (organization_id, number, happened_at, hash), delete on app.organization_event to breathmaster_worker;
grant select (organization_id, forgotten_number), update (forgotten_number, forgotten_hash) on app.organization_event_head
  to breathmaster_worker;

create function app.forget_organization_events(at timestamptz, most integer) returns integer
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  company record;
  last record;
  gone integer;
  forgotten integer := 0;
begin
  perform set_config('app.tending', at::text, true);
  for company in
    select o.organization_id, at - make_interval(days => o.audit_retention_days) as horizon from app.organization o
    where exists (
      select from app.organization_event e where e.organization_id = o.organization_id
        and e.happened_at < at - make_interval(days => o.audit_retention_days)
    )
    order by o.organization_id
    limit most
  loop
    perform set_config('app.uid', '00000000-0000-0000-0000-000000000000', true),
      set_config('app.organization_id', company.organization_id::text, true);
    -- The longest beginning whose lines are all old enough: clocks may differ by a little.
    select e.number, e.hash into last from app.organization_event e
    where e.organization_id = company.organization_id
      and e.number < coalesce(
        (select min(young.number) from app.organization_event young
         where young.organization_id = company.organization_id and young.happened_at >= company.horizon),
        9223372036854775807)
    order by e.number desc limit 1;
    continue when not found;
    delete from app.organization_event e where e.organization_id = company.organization_id and e.number <= last.number;
    get diagnostics gone = row_count;
    update app.organization_event_head h set forgotten_number = last.number, forgotten_hash = last.hash
    where h.organization_id = company.organization_id and h.forgotten_number < last.number;
    forgotten := forgotten + gone;
  end loop;
  perform set_config('app.tending', '', true), set_config('app.uid', '', true), set_config('app.organization_id', '', true);
  return forgotten;
end
$$;
comment on function app.forget_organization_events(timestamptz, integer) is
  'Removes the lines of some companies that are older than each wants them kept: how many.';
revoke all on function app.forget_organization_events(timestamptz, integer) from public;
grant create on schema app to breathmaster_worker;
alter function app.forget_organization_events(timestamptz, integer) owner to breathmaster_worker;
revoke create on schema app from breathmaster_worker;
set local role breathmaster_worker;
grant execute on function app.forget_organization_events(timestamptz, integer) to breathmaster_api;
set local role breathmaster_owner;

-- MARK: Members, as those see them who answer for the company

-- Name, role and since when, and never practice: the view has no more columns.
grant select (organization_id, uid, role, joined_at) on app.member to breathmaster_boards;
create policy member_administered on app.member for select to breathmaster_boards
  using (organization_id = any ((select app.permitted_organization_ids('members.read'))::uuid[]));

set local role breathmaster_boards;
create view board.member with (security_barrier) as
select m.organization_id, m.uid, u.display_name, u.avatar_url, m.role, m.joined_at
from app.member m
  join app.user u on u.uid = m.uid;
comment on view board.member is
  'The members of each organization whose members the bound user may list: the name that each chose to be seen by, role and since when.';
grant select on board.member to breathmaster_api;
set local role breathmaster_owner;

-- They read others' rows, so they belong to the role whose policy says of which companies.
create function app.role_in(of_organization uuid, who uuid) returns text
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select role from app.member where organization_id = of_organization and uid = who;
$$;
comment on function app.role_in(uuid, uuid) is 'Of a member of an organization whose members the bound user may list; null otherwise.';
create function app.has_other_owner(of_organization uuid, than uuid) returns boolean
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select exists (select from app.member where organization_id = of_organization and role = 'owner' and uid <> than);
$$;
comment on function app.has_other_owner(uuid, uuid) is 'Whether the company would still have an owner without that one. For who may list its members.';
revoke all on function app.role_in(uuid, uuid), app.has_other_owner(uuid, uuid) from public;
grant create on schema app to breathmaster_boards;
alter function app.role_in(uuid, uuid) owner to breathmaster_boards;
alter function app.has_other_owner(uuid, uuid) owner to breathmaster_boards;
revoke create on schema app from breathmaster_boards;
set local role breathmaster_boards;
grant execute on function app.role_in(uuid, uuid), app.has_other_owner(uuid, uuid) to breathmaster_owner;
set local role breathmaster_owner;

-- MARK: Changes

-- Who answers for a company changes it through functions, which write the record.
drop policy organization_managed on app.organization;
revoke update (leaderboard_enabled, show_real_names) on app.organization from breathmaster_api;
create or replace function app.managed_organization_ids() returns uuid[]
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select app.permitted_organization_ids('settings.change');
$$;
revoke delete on app.member from breathmaster_api;

create table app.ownership_offer (
  organization_id uuid not null,
  uid uuid not null,
  offered_by uuid not null,
  offered_at timestamptz not null,
  good_until timestamptz not null,
  primary key (organization_id, uid),
  constraint ownership_offer_member foreign key (organization_id, uid)
    references app.member (organization_id, uid) on delete cascade,
  constraint ownership_offer_owner foreign key (organization_id, offered_by)
    references app.member (organization_id, uid) on delete cascade
);
comment on table app.ownership_offer is
  'A company that its owner wants to hand to another member, who has to say yes. Gone when either leaves.';
create index ownership_offer_by_owner on app.ownership_offer (organization_id, offered_by);

alter table app.ownership_offer enable row level security;
alter table app.ownership_offer force row level security;
create policy ownership_offer_bound on app.ownership_offer to breathmaster_owner
  using (organization_id = (select app.organization_id()))
  with check (organization_id = (select app.organization_id()));
create policy ownership_offer_concerned on app.ownership_offer for select to breathmaster_api
  using (uid = (select app.uid()) or offered_by = (select app.uid()));
grant select on app.ownership_offer to breathmaster_api;

create function app.found_organization(called text, origin app.origin) returns uuid
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  me constant uuid := app.uid();
  founded constant uuid := gen_random_uuid();
begin
  -- Two that are founded at once take turns, so that ten are ten.
  perform from app.user where uid = me for no key update;
  if (select count(*) from app.member m where m.uid = me and m.role = 'owner') >= 10 then
    raise exception 'no room for another company' using errcode = 'BM409', constraint = 'organization_limit_reached';
  end if;
  perform set_config('app.organization_id', founded::text, true);
  insert into app.organization (organization_id, name, created_at) values (founded, called, origin.happened_at);
  insert into app.member (organization_id, uid, role, joined_at) values (founded, me, 'owner', origin.happened_at);
  perform app.record_organization_event(founded, 'organization.created', 'organization', null,
    jsonb_build_object('name', called), origin);
  return founded;
end
$$;
comment on function app.found_organization(text, app.origin) is
  'A company of the bound user''s, who owns it. Nobody else can be asked into it before it has proved a domain. BM409 with ten.';

create function app.change_organization(
  of_organization uuid, called text, board_enabled boolean, real_names boolean, retention integer, origin app.origin
) returns void
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
    name = coalesce(called, name), leaderboard_enabled = coalesce(board_enabled, leaderboard_enabled),
    show_real_names = coalesce(real_names, show_real_names), audit_retention_days = coalesce(retention, audit_retention_days)
  where organization_id = of_organization
  returning * into changed;
  if old is distinct from changed then
    perform app.record_organization_event(of_organization, 'settings.changed', 'organization',
      app.organization_settings(old), app.organization_settings(changed), origin);
  end if;
end
$$;
comment on function app.change_organization(uuid, text, boolean, boolean, integer, app.origin) is
  'Changes the settings that are not null. Errors as app.require_permission.';

create function app.organization_settings(of_organization app.organization) returns jsonb
  language sql immutable
  set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('name', of_organization.name, 'auditRetentionDays', of_organization.audit_retention_days,
    'leaderboard', jsonb_build_object('enabled', of_organization.leaderboard_enabled,
      'showRealNames', of_organization.show_real_names));
$$;
comment on function app.organization_settings(app.organization) is 'As the record has them, by the names of the API.';

create function app.change_role(of_organization uuid, who uuid, given text, origin app.origin) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  me constant uuid := app.uid();
  old text;
begin
  perform app.begin_change(of_organization, 'roles.change');
  old := app.role_in(of_organization, who);
  if old is null then
    raise exception 'no such member' using errcode = 'BM404';
  end if;
  if given not in ('admin', 'analyst', 'member') then
    -- An owner is one who said yes: app.accept_ownership.
    raise exception 'not a role to be given' using errcode = 'BM422', constraint = 'role_invalid';
  end if;
  if old = given then
    return;
  end if;
  perform app.require_owner_may_go(of_organization, who, old);
  -- In the name of the one whom it is about, under the policy that holds them.
  perform set_config('app.uid', who::text, true);
  update app.member set role = given where organization_id = of_organization and uid = who;
  perform set_config('app.uid', me::text, true);
  -- Who is no owner any more has nothing to hand over.
  delete from app.ownership_offer where organization_id = of_organization and offered_by = who;
  perform app.record_organization_event(of_organization, 'member.role-changed', 'user:' || who,
    jsonb_build_object('role', old), jsonb_build_object('role', given), origin);
end
$$;
comment on function app.change_role(uuid, uuid, text, app.origin) is
  'Makes a member an admin, an analyst or a plain member. BM409 for the last owner; other errors as app.require_permission.';

create function app.require_owner_may_go(of_organization uuid, who uuid, who_is text) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  if who_is <> 'owner' then
    return;
  end if;
  perform app.require_permission(of_organization, 'ownership.transfer');
  if not app.has_other_owner(of_organization, who) then
    raise exception 'the last owner' using errcode = 'BM409', constraint = 'last_owner';
  end if;
end
$$;
comment on function app.require_owner_may_go(uuid, uuid, text) is
  'An owner is an owner''s to demote or remove, and not the last one.';

create function app.end_membership(of_organization uuid, who uuid, origin app.origin) returns boolean
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  me constant uuid := app.uid();
  old text;
begin
  if who = me then
    -- No permission is needed to leave, and none is left to have afterwards.
    perform set_config('app.organization_id', of_organization::text, true);
    perform from app.organization where organization_id = of_organization
      and of_organization = any (app.own_organization_ids()) for no key update;
    select role into old from app.member where organization_id = of_organization and uid = me;
    if old is null then
      return false;
    end if;
  else
    perform app.begin_change(of_organization, 'members.remove');
    old := app.role_in(of_organization, who);
    if old is null then
      return false;
    end if;
  end if;
  perform app.require_owner_may_go(of_organization, who, old);
  perform set_config('app.uid', who::text, true);
  delete from app.member where organization_id = of_organization and uid = who;
  perform set_config('app.uid', me::text, true);
  perform app.record_organization_event(of_organization, case when who = me then 'member.left' else 'member.removed' end,
    'user:' || who, jsonb_build_object('role', old), null, origin);
  return true;
end
$$;
comment on function app.end_membership(uuid, uuid, app.origin) is
  'Leaving, and being removed: whether there was a membership to end. Every board of the company is without that person in the same transaction. BM409 for the last owner; other errors as app.require_permission.';

create function app.offer_ownership(of_organization uuid, whom uuid, origin app.origin) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  me constant uuid := app.uid();
begin
  perform app.begin_change(of_organization, 'ownership.transfer');
  if app.role_in(of_organization, whom) is null then
    raise exception 'no such member' using errcode = 'BM404';
  end if;
  if app.role_in(of_organization, whom) = 'owner' then
    raise exception 'an owner already' using errcode = 'BM422', constraint = 'ownership_offer_invalid';
  end if;
  delete from app.ownership_offer where organization_id = of_organization and offered_by = me;
  -- Of two owners who offer it to the same member, the later one hands over.
  insert into app.ownership_offer (organization_id, uid, offered_by, offered_at, good_until)
  values (of_organization, whom, me, origin.happened_at, origin.happened_at + interval '7 days')
  on conflict (organization_id, uid) do update
    set (offered_by, offered_at, good_until) = (excluded.offered_by, excluded.offered_at, excluded.good_until);
  perform app.record_organization_event(of_organization, 'ownership.offered', 'user:' || whom, null, null, origin);
end
$$;
comment on function app.offer_ownership(uuid, uuid, app.origin) is
  'Asks a member to be the owner in the bound user''s place, for seven days. Another offer takes the place of the one before.';

create function app.accept_ownership(of_organization uuid, origin app.origin) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  me constant uuid := app.uid();
  offer app.ownership_offer;
  old text;
begin
  if of_organization <> all (app.own_organization_ids()) then
    raise exception 'no organization of this user' using errcode = 'BM404';
  end if;
  perform set_config('app.organization_id', of_organization::text, true);
  perform from app.organization where organization_id = of_organization for no key update;
  delete from app.ownership_offer where organization_id = of_organization and uid = me and good_until > origin.happened_at
  returning * into offer;
  if not found then
    raise exception 'nothing is offered' using errcode = 'BM404';
  end if;
  select role into old from app.member where organization_id = of_organization and uid = me;
  update app.member set role = 'owner' where organization_id = of_organization and uid = me;
  perform set_config('app.uid', offer.offered_by::text, true);
  update app.member set role = 'admin' where organization_id = of_organization and uid = offer.offered_by;
  perform set_config('app.uid', me::text, true);
  perform app.record_organization_event(of_organization, 'ownership.accepted', 'user:' || me,
    jsonb_build_object('owner', 'user:' || offer.offered_by, 'role', old), jsonb_build_object('owner', 'user:' || me), origin);
end
$$;
comment on function app.accept_ownership(uuid, app.origin) is
  'Makes the bound user an owner and the one who offered it an admin. BM404 where nothing is offered, or not any more.';

create function app.withdraw_ownership_offer(of_organization uuid, origin app.origin) returns boolean
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  me constant uuid := app.uid();
  offer app.ownership_offer;
begin
  if of_organization <> all (app.own_organization_ids()) then
    return false;
  end if;
  perform set_config('app.organization_id', of_organization::text, true);
  delete from app.ownership_offer where organization_id = of_organization and (uid = me or offered_by = me)
  returning * into offer;
  if not found then
    return false;
  end if;
  perform app.record_organization_event(of_organization,
    case when offer.uid = me then 'ownership.declined' else 'ownership.withdrawn' end, 'user:' || offer.uid, null, null, origin);
  return true;
end
$$;
comment on function app.withdraw_ownership_offer(uuid, app.origin) is
  'A no, by the one who was asked, or the end of it by the one who asked: whether there was an offer.';

revoke all on function app.found_organization(text, app.origin),
  app.change_organization(uuid, text, boolean, boolean, integer, app.origin), app.organization_settings(app.organization),
  app.change_role(uuid, uuid, text, app.origin), app.require_owner_may_go(uuid, uuid, text),
  app.end_membership(uuid, uuid, app.origin), app.offer_ownership(uuid, uuid, app.origin),
  app.accept_ownership(uuid, app.origin), app.withdraw_ownership_offer(uuid, app.origin) from public;
grant execute on function app.found_organization(text, app.origin),
  app.change_organization(uuid, text, boolean, boolean, integer, app.origin), app.change_role(uuid, uuid, text, app.origin),
  app.end_membership(uuid, uuid, app.origin), app.offer_ownership(uuid, uuid, app.origin),
  app.accept_ownership(uuid, app.origin), app.withdraw_ownership_offer(uuid, app.origin) to breathmaster_api;

-- As before, and recorded.
-- squawk-ignore ban-drop-function
drop function app.join_organization(uuid);
create function app.join_organization(joined uuid, origin app.origin) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform app.uid(), set_config('app.organization_id', joined::text, true);
  if not exists (
    select from app.email_claim e
      join app.domain_claim d on d.domain = e.domain
    where e.uid = (select app.uid())
      and d.organization_id = (select app.organization_id())
      and d.proved_at is not null
  ) then
    raise exception 'no proved domain of that organization holds an address of this user' using errcode = 'BM404';
  end if;
  insert into app.member (organization_id, uid, role, joined_at)
  values (joined, (select app.uid()), 'member', origin.happened_at)
  on conflict do nothing;
  if found then
    perform app.record_organization_event(joined, 'member.joined', 'user:' || app.uid(), null,
      jsonb_build_object('role', 'member', 'by', 'domain'), origin);
  end if;
end
$$;
revoke all on function app.join_organization(uuid, app.origin) from public;
grant execute on function app.join_organization(uuid, app.origin) to breathmaster_api;

create or replace function app.create_organization(called text, held_domain text, owner_uid uuid) returns uuid
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  created constant uuid := gen_random_uuid();
begin
  perform app.bind(owner_uid);
  perform set_config('app.organization_id', created::text, true);
  insert into app.organization (organization_id, name) values (created, called);
  insert into app.domain_claim (organization_id, domain, proved_at) values (created, lower(held_domain), now());
  insert into app.member (organization_id, uid, role) values (created, owner_uid, 'owner');
  perform app.record_organization_event(created, 'organization.created', 'organization', null,
    jsonb_build_object('name', called, 'domain', lower(held_domain), 'owner', 'user:' || owner_uid),
    row(gen_random_uuid(), 'console', now())::app.origin, 'operator');
  return created;
end
$$;
