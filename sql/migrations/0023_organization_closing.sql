-- The end of a company: suspended by an operator, or deleted, after seven days in which its
-- owner can think better of it. And what those who answer for it see at a glance.

alter table app.organization
  add column suspended_at timestamptz,
  add column deletion_due_at timestamptz;
comment on column app.organization.suspended_at is
  'Since when the operator has it closed: no board, nobody joins, nothing is changed. Its members stay, and may leave.';
comment on column app.organization.deletion_due_at is 'When it is deleted. Closed until then, and open again if its owner says so.';
-- squawk-ignore require-concurrent-index-creation
create index organization_deletion_due on app.organization (deletion_due_at) where deletion_due_at is not null;

create table app.organization_deletion (
  organization_id uuid primary key,
  asked_at timestamptz not null,
  begun_at timestamptz,
  finished_at timestamptz,
  counts jsonb not null default '{}'
);
comment on table app.organization_deletion is
  'What was deleted of a company: how much of what, and when. It outlasts the company, and has nothing of it but the id.';

alter table app.organization_deletion enable row level security;
alter table app.organization_deletion force row level security;
create policy organization_deletion_bound on app.organization_deletion to breathmaster_owner
  using (organization_id = (select app.organization_id()))
  with check (organization_id = (select app.organization_id()));
create policy organization_deletion_tended on app.organization_deletion to breathmaster_worker
  using (asked_at <= (select app.tending())) with check (asked_at <= (select app.tending()));
grant select, update (begun_at, finished_at, counts) on app.organization_deletion to breathmaster_worker;

-- MARK: A closed company

-- The owner's functions ask whether the companies that somebody belongs to are closed,
-- also where none is bound.
create policy organization_belonged_to on app.organization for select to breathmaster_owner
  using (organization_id = any ((select app.own_organization_ids())::uuid[]));

alter table app.role_permission add column when_closed boolean not null default false;
comment on column app.role_permission.when_closed is 'Whether the role still may while the company is closed.';
update app.role_permission set when_closed = true
where permission in ('members.read', 'audit.read', 'overview.read', 'organization.delete');

create or replace function app.permitted_organization_ids(asked text) returns uuid[]
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(m.organization_id), '{}')
  from app.member m
    join app.role_permission p on p.role = m.role
    join app.organization o on o.organization_id = m.organization_id
  where m.uid = (select app.uid()) and p.permission = asked
    and (p.when_closed or (o.suspended_at is null and o.deletion_due_at is null));
$$;
create or replace function app.own_permissions(of_organization uuid) returns text[]
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(p.permission order by p.permission), '{}')
  from app.member m
    join app.role_permission p on p.role = m.role
    join app.organization o on o.organization_id = m.organization_id
  where m.uid = (select app.uid()) and m.organization_id = of_organization
    and (p.when_closed or (o.suspended_at is null and o.deletion_due_at is null));
$$;
create or replace function app.require_owner_may_go(of_organization uuid, who uuid, who_is text) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  if who_is <> 'owner' then
    return;
  end if;
  if who <> app.uid() then
    perform app.require_permission(of_organization, 'ownership.transfer');
  end if;
  if not app.has_other_owner(of_organization, who) then
    raise exception 'the last owner' using errcode = 'BM409', constraint = 'last_owner';
  end if;
end
$$;

-- A company that is closed doesn't change hands.
create or replace function app.accept_ownership(of_organization uuid, origin app.origin) returns void
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
  if exists (
    select from app.organization where organization_id = of_organization
      and (suspended_at is not null or deletion_due_at is not null)
  ) then
    raise exception 'the organization is closed' using errcode = 'BM403', constraint = 'not_permitted';
  end if;
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


create or replace function app.own_company_boards() returns uuid[]
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(m.organization_id), '{}')
  from app.member m
    join app.organization o on o.organization_id = m.organization_id
  where m.uid = (select app.uid()) and m.organization_id = (select app.organization_id()) and o.leaderboard_enabled
    and o.suspended_at is null and o.deletion_due_at is null;
$$;
comment on function app.own_company_boards() is
  'The bound organization, if the bound user is a member now, it has its board on and it is not closed.';
alter policy organization_inviting on app.organization
  using (suspended_at is null and deletion_due_at is null
    and organization_id = any ((select app.inviting_organization_ids())::uuid[]));

create function app.suspend_organization(of_organization uuid, closed boolean, origin app.origin) returns void
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
  end if;
end
$$;
comment on function app.suspend_organization(uuid, boolean, app.origin) is
  'The operator closes a company, or opens it again. Raises BM404 where there is none.';

-- MARK: Deletion

create function app.begin_deletion(of_organization uuid, origin app.origin, by_actor text) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  update app.organization set deletion_due_at = origin.happened_at + interval '7 days'
  where organization_id = of_organization and deletion_due_at is null;
  if not found then
    return;
  end if;
  insert into app.organization_deletion (organization_id, asked_at) values (of_organization, origin.happened_at);
  perform app.record_organization_event(of_organization, 'organization.deletion-asked', 'organization', null,
    jsonb_build_object('dueAt', origin.happened_at + interval '7 days'), origin, by_actor);
end
$$;
comment on function app.begin_deletion(uuid, app.origin, text) is 'What asking by the owner and by the operator have in common, in a bound organization.';

create function app.ask_deletion(of_organization uuid, origin app.origin) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform app.begin_change(of_organization, 'organization.delete');
  perform app.begin_deletion(of_organization, origin, null);
end
$$;
comment on function app.ask_deletion(uuid, app.origin) is
  'Closes the company at once, and deletes it after seven days. Asking again changes nothing. Errors as app.require_permission.';

create function app.cancel_deletion(of_organization uuid, origin app.origin) returns boolean
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
  return true;
end
$$;
comment on function app.cancel_deletion(uuid, app.origin) is
  'Opens the company again: whether there was a deletion that had not begun. Errors as app.require_permission.';

create function app.order_deletion(of_organization uuid, origin app.origin) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform app.bind_organization(of_organization);
  perform app.begin_deletion(of_organization, origin, 'operator');
end
$$;
comment on function app.order_deletion(uuid, app.origin) is 'As app.ask_deletion, by the operator. Raises BM404 where there is none.';

create function app.deletion_receipt(of_organization uuid)
  returns table (asked_at timestamptz, begun_at timestamptz, finished_at timestamptz, counts text)
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config('app.uid', '00000000-0000-0000-0000-000000000000', true),
    set_config('app.organization_id', of_organization::text, true);
  return query select d.asked_at, d.begun_at, d.finished_at, d.counts::text
    from app.organization_deletion d where d.organization_id = of_organization;
end
$$;
comment on function app.deletion_receipt(uuid) is 'What was deleted of a company, for the operator; no row where nothing was asked.';

-- What the job sees and removes of the company that it deletes.
create policy organization_ended on app.organization for delete to breathmaster_worker
  using (organization_id = (select app.tended_organization_id()) and deletion_due_at <= (select app.tending()));
create policy company_standing_tended on app.company_standing to breathmaster_worker
  using (organization_id = (select app.tended_organization_id()))
  with check (organization_id = (select app.tended_organization_id()));
create policy company_season_rank_tended on app.company_season_rank to breathmaster_worker
  using (organization_id = (select app.tended_organization_id()))
  with check (organization_id = (select app.tended_organization_id()));
create policy invitation_tended on app.invitation to breathmaster_worker
  using (organization_id = (select app.tended_organization_id()))
  with check (organization_id = (select app.tended_organization_id()));
grant select (deletion_due_at), delete on app.organization to breathmaster_worker;
grant delete on app.company_standing, app.company_season_rank to breathmaster_worker;
grant select (organization_id, invitation_id, good_until), delete on app.invitation to breathmaster_worker;

grant create on schema app to breathmaster_worker;
set local role breathmaster_worker;

-- A step is a transaction of its own, so whoever dies goes on where they were, and no step
-- holds up anybody. What follows a row by a foreign key is removed before it, to be counted.
create function app.delete_organizations(at timestamptz, most integer, out removed integer, out finished uuid)
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  due uuid;
  part text;
  key text;
begin
  removed := 0;
  perform set_config('app.tending', at::text, true), set_config('app.closing_season', 'none', true);
  select o.organization_id into due from app.organization o
  where o.deletion_due_at <= at order by o.deletion_due_at, o.organization_id limit 1;
  if due is null then
    perform set_config('app.tending', '', true), set_config('app.closing_season', '', true);
    return;
  end if;
  perform set_config('app.uid', '00000000-0000-0000-0000-000000000000', true),
    set_config('app.organization_id', due::text, true);
  update app.organization_deletion d set begun_at = coalesce(d.begun_at, at) where d.organization_id = due;
  -- Two servers take turns, and nobody cancels in between.
  perform from app.organization_deletion d where d.organization_id = due for update;
  foreach part in array array['company_season_rank', 'company_standing', 'invitation', 'member', 'domain_claim', 'organization_event'] loop
    key := case part when 'organization_event' then 'number' when 'invitation' then 'invitation_id' when 'domain_claim' then 'domain' else 'uid' end;
    execute format('delete from app.%1$I where organization_id = $1 and %2$I in
      (select %2$I from app.%1$I where organization_id = $1 limit $2)', part, key) using due, most;
    get diagnostics removed = row_count;
    if removed > 0 then
      update app.organization_deletion d
      set counts = d.counts || jsonb_build_object(part, coalesce((d.counts ->> part)::bigint, 0) + removed)
      where d.organization_id = due;
      perform set_config('app.tending', '', true), set_config('app.closing_season', '', true), set_config('app.uid', '', true), set_config('app.organization_id', '', true);
      return;
    end if;
  end loop;
  delete from app.organization where organization_id = due;
  get diagnostics removed = row_count;
  update app.organization_deletion d set finished_at = at, counts = d.counts || jsonb_build_object('organization', removed)
  where d.organization_id = due;
  finished := due;
  perform set_config('app.tending', '', true), set_config('app.closing_season', '', true), set_config('app.uid', '', true), set_config('app.organization_id', '', true);
end
$$;
comment on function app.delete_organizations(timestamptz, integer) is
  'One step of deleting the company whose time has come first: how many rows went, and its id where that was the last of it. Nothing went where none is due.';

create function app.organization_numbers(of_organization uuid, week text, at timestamptz,
  out owners bigint, out admins bigint, out analysts bigint, out members bigint, out invitations bigint, out active integer)
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config('app.tending', at::text, true), set_config('app.closing_season', 'none', true);
  select count(*) filter (where role = 'owner'), count(*) filter (where role = 'admin'),
    count(*) filter (where role = 'analyst'), count(*) filter (where role = 'member')
  into owners, admins, analysts, members
  from app.member where organization_id = of_organization;
  select count(*) into invitations from app.invitation where organization_id = of_organization and good_until > at;
  -- In steps of five and never under five: one person who comes, goes or practises is not to be read from it.
  select nullif(count(*) / 5 * 5, 0) into active
  from app.company_standing where organization_id = of_organization and period = week and weekly_minutes > 0;
  perform set_config('app.tending', '', true), set_config('app.closing_season', '', true);
end
$$;
comment on function app.organization_numbers(uuid, text, timestamptz) is
  'Of the bound organization: members by role, invitations, and how many of those who show the company their practice practised in a week, rounded down to fives and null under five.';
revoke all on function app.delete_organizations(timestamptz, integer), app.organization_numbers(uuid, text, timestamptz) from public;
grant execute on function app.delete_organizations(timestamptz, integer) to breathmaster_api;
grant execute on function app.organization_numbers(uuid, text, timestamptz) to breathmaster_owner;
set local role breathmaster_owner;
revoke create on schema app from breathmaster_worker;

create function app.organization_overview(of_organization uuid, week text, at timestamptz,
  out owners bigint, out admins bigint, out analysts bigint, out members bigint, out invitations bigint, out active integer,
  out proved bigint, out lost bigint, out pending bigint)
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform app.require_permission(of_organization, 'overview.read');
  perform set_config('app.organization_id', of_organization::text, true);
  select n.* into owners, admins, analysts, members, invitations, active from app.organization_numbers(of_organization, week, at) as n;
  select count(*) filter (where proved_at is not null and lost_at is null), count(*) filter (where lost_at is not null),
    count(*) filter (where proved_at is null)
  into proved, lost, pending
  from app.domain_claim where organization_id = of_organization;
end
$$;
comment on function app.organization_overview(uuid, text, timestamptz) is
  'As app.organization_numbers, and its domains. Errors as app.require_permission.';

revoke all on function app.suspend_organization(uuid, boolean, app.origin), app.begin_deletion(uuid, app.origin, text),
  app.ask_deletion(uuid, app.origin), app.cancel_deletion(uuid, app.origin), app.order_deletion(uuid, app.origin),
  app.deletion_receipt(uuid), app.organization_overview(uuid, text, timestamptz) from public;
grant execute on function app.ask_deletion(uuid, app.origin), app.cancel_deletion(uuid, app.origin),
  app.organization_overview(uuid, text, timestamptz) to breathmaster_api;
