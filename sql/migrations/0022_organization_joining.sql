-- Joining: by an invitation, or by an address in a proved domain where the company lets
-- everybody in who has one; either way the person's own act, after they were shown what
-- the company will see of them.

alter table app.organization
  add column domain_restricted boolean not null default true,
  add column automatic_joining boolean not null default true;
-- Those that there are had it so. One that is founded from now on says so first.
alter table app.organization alter column automatic_joining set default false;
comment on column app.organization.domain_restricted is 'Whether only addresses in its proved domains are invited.';
comment on column app.organization.automatic_joining is
  'Whether an address in a proved domain is enough to join. Without it, an invitation is needed.';

create table app.invitation (
  organization_id uuid not null references app.organization (organization_id) on delete cascade,
  invitation_id uuid not null,
  address text not null
    constraint invitation_address_invalid check (char_length(address) <= 254 and address ~ '^[!-;=?-~]+@[a-z0-9.-]+$'),
  role text not null check (role in ('admin', 'analyst', 'member')),
  invited_at timestamptz not null,
  good_until timestamptz not null,
  primary key (organization_id, invitation_id)
);
comment on table app.invitation is
  'Who is asked into a company, by an address that they have to show to be theirs. It is spent by joining, and good for seven days.';
-- squawk-ignore require-concurrent-index-creation
create unique index invitation_of_address on app.invitation (organization_id, lower(address));
-- squawk-ignore require-concurrent-index-creation
create index invitation_by_address on app.invitation (lower(address));

alter table app.invitation enable row level security;
alter table app.invitation force row level security;
create policy invitation_bound on app.invitation to breathmaster_owner
  using (organization_id = (select app.organization_id()))
  with check (organization_id = (select app.organization_id()));
create policy invitation_managed on app.invitation for select to breathmaster_api
  using (organization_id = any ((select app.permitted_organization_ids('members.invite'))::uuid[]));
grant select on app.invitation to breathmaster_api;

-- MARK: Mail about something

alter table app.outbox add column about text constraint outbox_about_invalid check (char_length(about) <= 200);
comment on column app.outbox.about is 'What it is about, to be named in it: for an invitation, the company.';

set local role breathmaster_worker;
-- It answers one column more.
-- squawk-ignore ban-drop-function
drop function app.take_mail(integer, timestamptz, interval);
set local role breathmaster_owner;
create function app.take_mail(most integer, at timestamptz, lease interval)
  returns table (uid uuid, message_id uuid, kind text, recipient text, seed uuid, written_at timestamptz, attempts integer, about text)
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
    returning o.uid, o.message_id, o.kind, o.recipient, o.seed, o.written_at, o.attempts, o.about;
end
$$;
comment on function app.take_mail(integer, timestamptz, interval) is
  'Messages that are due, which nobody else is given until the lease is over. Those that are too late or were tried ten times are given up.';
revoke all on function app.take_mail(integer, timestamptz, interval) from public;
grant create on schema app to breathmaster_worker;
alter function app.take_mail(integer, timestamptz, interval) owner to breathmaster_worker;
revoke create on schema app from breathmaster_worker;
set local role breathmaster_worker;
grant execute on function app.take_mail(integer, timestamptz, interval) to breathmaster_api;
set local role breathmaster_owner;

-- MARK: What a person can join

create function app.own_domains() returns text[]
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(distinct domain), '{}') from app.email_claim where uid = (select app.uid());
$$;
comment on function app.own_domains() is 'Those in which the bound user has shown an address to be theirs.';
create function app.own_addresses() returns text[]
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(lower(address)), '{}') from app.email_claim where uid = (select app.uid());
$$;
comment on function app.own_addresses() is 'Those that the bound user has shown to be theirs, in lower case.';
revoke all on function app.own_domains(), app.own_addresses() from public;
grant execute on function app.own_domains(), app.own_addresses() to breathmaster_api, breathmaster_boards;

create policy domain_claim_own on app.domain_claim for select to breathmaster_boards
  using (proved_at is not null and domain = any ((select app.own_domains())::text[]));
grant select (organization_id, domain, proved_at) on app.domain_claim to breathmaster_boards;
create policy invitation_own on app.invitation for select to breathmaster_boards
  using (lower(address) = any ((select app.own_addresses())::text[]));
grant select on app.invitation to breathmaster_boards;

grant create on schema app to breathmaster_boards;
create function app.inviting_organization_ids() returns uuid[]
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(organization_id), '{}')
  from (select organization_id from app.domain_claim union select organization_id from app.invitation) as inviting;
$$;
comment on function app.inviting_organization_ids() is
  'The companies that proved a domain in which the bound user has an address, or that have invited one: which rows those are, the policies say.';
revoke all on function app.inviting_organization_ids() from public;
alter function app.inviting_organization_ids() owner to breathmaster_boards;
revoke create on schema app from breathmaster_boards;
create policy organization_inviting on app.organization for select to breathmaster_boards
  using (organization_id = any ((select app.inviting_organization_ids())::uuid[]));
grant select (organization_id, name, automatic_joining, leaderboard_enabled, show_real_names) on app.organization to breathmaster_boards;

set local role breathmaster_boards;
grant execute on function app.inviting_organization_ids() to breathmaster_api, breathmaster_owner;
create view board.suggestion with (security_barrier) as
select o.organization_id, o.name, o.leaderboard_enabled, o.show_real_names, i.invitation_id, i.role, i.good_until,
  d.domain, o.automatic_joining
from app.organization o
  left join lateral (
    select inv.invitation_id, inv.role, inv.good_until from app.invitation inv
    where inv.organization_id = o.organization_id order by inv.good_until desc limit 1
  ) as i on true
  left join lateral (
    select c.domain from app.domain_claim c where c.organization_id = o.organization_id order by c.domain limit 1
  ) as d on true;
comment on view board.suggestion is
  'The companies that the bound user may be asked into: by an invitation to an address of theirs, or a proved domain in which they have one.';
grant select on board.suggestion to breathmaster_api, breathmaster_owner;
set local role breathmaster_owner;

create function app.joining_preview(of_organization uuid, at timestamptz) returns jsonb
  language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  door record;
  me app.user;
  on_board boolean;
begin
  select * into door from board.suggestion s
  where s.organization_id = of_organization and (s.good_until > at or (s.domain is not null and s.automatic_joining));
  if not found then
    raise exception 'no proved domain of that organization holds an address of this user' using errcode = 'BM404';
  end if;
  select * into me from app.user where uid = app.uid();
  on_board := door.leaderboard_enabled and app.is_on_company_boards(me);
  return jsonb_build_object(
    'organizationId', of_organization,
    'name', door.name,
    'role', case when door.good_until > at then door.role else 'member' end,
    'adminsSee', jsonb_build_object('displayName', me.display_name, 'avatarUrl', me.avatar_url),
    'boardEnabled', door.leaderboard_enabled,
    'colleaguesSee', case when on_board then jsonb_build_object('displayName', me.display_name, 'avatarUrl', me.avatar_url,
      'realName', case when door.show_real_names and me.show_real_name then me.real_name end,
      'metrics', jsonb_build_array('weeklyMinutes', 'weeklyConsistency', 'teamChallengeParticipation')) end);
end
$$;
comment on function app.joining_preview(uuid, timestamptz) is
  'What a company will see of the bound user, as they share now. BM404 where they cannot join it.';

create function app.joining_agreement(of_organization uuid, at timestamptz) returns text
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select left(encode(sha256(convert_to(app.joining_preview(of_organization, at)::text, 'UTF8')), 'hex'), 32);
$$;
comment on function app.joining_agreement(uuid, timestamptz) is
  'Names what app.joining_preview shows: who agrees gives it back, so that nobody agrees to what has changed since.';

-- squawk-ignore ban-drop-function
drop function app.join_organization(uuid, app.origin);
create function app.join_organization(joined uuid, agreed text, origin app.origin) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  me constant uuid := app.uid();
  agreement constant text := app.joining_agreement(joined, origin.happened_at);
  invited app.invitation;
  by_domain text;
begin
  perform set_config('app.organization_id', joined::text, true);
  if exists (select from app.member where organization_id = joined and uid = me) then
    return;
  end if;
  if agreed is distinct from agreement then
    raise exception 'agreed to something else' using errcode = 'BM409', constraint = 'agreement_stale';
  end if;
  delete from app.invitation
  where organization_id = joined and lower(address) = any (app.own_addresses()) and good_until > origin.happened_at
  returning * into invited;
  if invited.invitation_id is null then
    -- A domain that lapses in this moment has lapsed before this looks.
    select d.domain into by_domain
    from app.domain_claim d join app.organization o on o.organization_id = d.organization_id
    where d.organization_id = joined and d.domain = any (app.own_domains()) and d.proved_at is not null and o.automatic_joining
    order by d.domain limit 1
    for key share of d;
    if not found then
      raise exception 'no proved domain of that organization holds an address of this user' using errcode = 'BM404';
    end if;
  end if;
  insert into app.member (organization_id, uid, role, joined_at, domain)
  values (joined, me, coalesce(invited.role, 'member'), origin.happened_at, by_domain)
  on conflict do nothing;
  if found then
    perform app.record_organization_event(joined, 'member.joined', 'user:' || me, null,
      jsonb_build_object('role', coalesce(invited.role, 'member'),
        'by', coalesce('invitation:' || invited.invitation_id, 'domain:' || by_domain)), origin);
  end if;
end
$$;
comment on function app.join_organization(uuid, text, app.origin) is
  'Makes the bound user a member, by an invitation, which is spent, or by a domain. BM404 where there is neither, BM409 where what they agreed to is not what the company would see. Joining again changes nothing.';

-- MARK: Inviting

create function app.invite(
  of_organization uuid, id uuid, whom text, given text, origin app.origin
) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  company app.organization;
  proved boolean;
  in_domain boolean;
begin
  perform app.begin_change(of_organization, 'members.invite');
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
  delete from app.invitation where organization_id = of_organization and lower(address) = lower(whom);
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
  'Asks an address into the company, by mail. Another one takes the place of the one before. BM409 where no domain is proved or 500 wait, BM422 where the address is outside of the domains and that matters.';

create function app.revoke_invitation(of_organization uuid, id uuid, origin app.origin) returns boolean
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform app.begin_change(of_organization, 'members.invite');
  delete from app.invitation where organization_id = of_organization and invitation_id = id;
  if not found then
    return false;
  end if;
  perform app.record_organization_event(of_organization, 'invitation.revoked', 'invitation:' || id, null, null, origin);
  return true;
end
$$;
comment on function app.revoke_invitation(uuid, uuid, app.origin) is 'Whether there was one.';

-- MARK: Settings

create or replace function app.organization_settings(of_organization app.organization) returns jsonb
  language sql immutable
  set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('name', of_organization.name, 'auditRetentionDays', of_organization.audit_retention_days,
    'domainRestricted', of_organization.domain_restricted, 'automaticJoining', of_organization.automatic_joining,
    'leaderboard', jsonb_build_object('enabled', of_organization.leaderboard_enabled,
      'showRealNames', of_organization.show_real_names));
$$;
-- squawk-ignore ban-drop-function
drop function app.change_organization(uuid, text, boolean, boolean, integer, app.origin);
create function app.change_organization(
  of_organization uuid, called text, board_enabled boolean, real_names boolean, retention integer, restricted boolean,
  automatic boolean, origin app.origin
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
    show_real_names = coalesce(real_names, show_real_names), audit_retention_days = coalesce(retention, audit_retention_days),
    domain_restricted = coalesce(restricted, domain_restricted), automatic_joining = coalesce(automatic, automatic_joining)
  where organization_id = of_organization
  returning * into changed;
  if old is distinct from changed then
    perform app.record_organization_event(of_organization, 'settings.changed', 'organization',
      app.organization_settings(old), app.organization_settings(changed), origin);
  end if;
end
$$;
comment on function app.change_organization(uuid, text, boolean, boolean, integer, boolean, boolean, app.origin) is
  'Changes the settings that are not null. Errors as app.require_permission.';

revoke all on function app.joining_preview(uuid, timestamptz), app.joining_agreement(uuid, timestamptz),
  app.join_organization(uuid, text, app.origin), app.invite(uuid, uuid, text, text, app.origin),
  app.revoke_invitation(uuid, uuid, app.origin),
  app.change_organization(uuid, text, boolean, boolean, integer, boolean, boolean, app.origin) from public;
grant execute on function app.joining_preview(uuid, timestamptz), app.joining_agreement(uuid, timestamptz),
  app.join_organization(uuid, text, app.origin), app.invite(uuid, uuid, text, text, app.origin),
  app.revoke_invitation(uuid, uuid, app.origin),
  app.change_organization(uuid, text, boolean, boolean, integer, boolean, boolean, app.origin) to breathmaster_api;

-- As before, and everybody with an address in the domain that the operator vouched for can join.
create or replace function app.create_organization(called text, held_domain text, owner_uid uuid) returns uuid
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  created constant uuid := gen_random_uuid();
begin
  perform app.bind(owner_uid);
  perform set_config('app.organization_id', created::text, true);
  insert into app.organization (organization_id, name, automatic_joining) values (created, called, true);
  insert into app.domain_claim (organization_id, domain, proved_at) values (created, lower(held_domain), now());
  insert into app.member (organization_id, uid, role) values (created, owner_uid, 'owner');
  perform app.record_organization_event(created, 'organization.created', 'organization', null,
    jsonb_build_object('name', called, 'domain', lower(held_domain), 'owner', 'user:' || owner_uid),
    row(gen_random_uuid(), 'console', now())::app.origin, 'operator');
  return created;
end
$$;
