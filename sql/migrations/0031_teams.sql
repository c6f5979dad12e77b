-- Teams within a company: those of its directory, and those that its admins put together by hand. A team narrows the
-- company's board down to its members, where five or more of them are on that board: below, it would be a board of
-- somebody in particular, and the team is not there.

insert into app.role_permission (role, permission) values ('owner', 'teams.manage'), ('admin', 'teams.manage');

create table app.team (
  organization_id uuid not null references app.organization (organization_id) on delete cascade,
  team_id uuid not null,
  name text not null
    constraint team_name_invalid
      check (char_length(name) between 1 and 80 and name is normalized
        and name !~ '[[:cntrl:]]' and name ~ '[^[:space:]]'),
  name_key text not null generated always as (lower(name)) stored,
  created_at timestamptz not null,
  primary key (organization_id, team_id),
  constraint team_name_taken unique (organization_id, name_key)
);
comment on table app.team is 'A team within a company that its admins have put together. Those of its directory are in app.directory_group.';

create table app.team_member (
  organization_id uuid not null,
  team_id uuid not null,
  uid uuid not null,
  primary key (organization_id, team_id, uid),
  constraint team_member_team foreign key (organization_id, team_id) references app.team (organization_id, team_id) on delete cascade,
  constraint team_member_member foreign key (organization_id, uid) references app.member (organization_id, uid) on delete cascade
);
comment on table app.team_member is 'Who belongs to which team. Who leaves the company leaves its teams.';
create index team_member_by_member on app.team_member (organization_id, uid);

alter table app.team enable row level security;
alter table app.team force row level security;
create policy team_bound on app.team to breathmaster_owner
  using (organization_id = (select app.organization_id()))
  with check (organization_id = (select app.organization_id()));
create policy team_managed on app.team for select to breathmaster_api
  using (organization_id = any ((select app.permitted_organization_ids('teams.manage'))::uuid[]));
create policy team_tended on app.team to breathmaster_worker
  using (organization_id = (select app.tended_organization_id()))
  with check (organization_id = (select app.tended_organization_id()));
alter table app.team_member enable row level security;
alter table app.team_member force row level security;
create policy team_member_bound on app.team_member to breathmaster_owner
  using (organization_id = (select app.organization_id()))
  with check (organization_id = (select app.organization_id()));
create policy team_member_managed on app.team_member for select to breathmaster_api
  using (organization_id = any ((select app.permitted_organization_ids('teams.manage'))::uuid[]));
create policy team_member_tended on app.team_member to breathmaster_worker
  using (organization_id = (select app.tended_organization_id()))
  with check (organization_id = (select app.tended_organization_id()));
grant select on app.team, app.team_member to breathmaster_api;
grant select (organization_id, team_id, name), delete on app.team to breathmaster_worker;
grant select, delete on app.team_member to breathmaster_worker;
grant select (display_name) on app.directory_group to breathmaster_worker;

-- MARK: By hand

create function app.create_team(of_organization uuid, id uuid, called text, origin app.origin) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform app.begin_change(of_organization, 'teams.manage');
  if (select count(*) from app.team where organization_id = of_organization) >= 500 then
    raise exception 'no room for another team' using errcode = 'BM409', constraint = 'team_limit_reached';
  end if;
  insert into app.team (organization_id, team_id, name, created_at) values (of_organization, id, called, origin.happened_at);
  perform app.record_organization_event(of_organization, 'team.created', 'team:' || id, null,
    jsonb_build_object('name', called), origin);
end
$$;
comment on function app.create_team(uuid, uuid, text, app.origin) is 'BM409 with 500; other errors as app.require_permission.';

create function app.rename_team(of_organization uuid, id uuid, called text, origin app.origin) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  old text;
begin
  perform app.begin_change(of_organization, 'teams.manage');
  select name into old from app.team where organization_id = of_organization and team_id = id;
  if not found then
    raise exception 'no such team' using errcode = 'BM404';
  end if;
  if old <> called then
    update app.team set name = called where organization_id = of_organization and team_id = id;
    perform app.record_organization_event(of_organization, 'team.renamed', 'team:' || id,
      jsonb_build_object('name', old), jsonb_build_object('name', called), origin);
  end if;
end
$$;
comment on function app.rename_team(uuid, uuid, text, app.origin) is 'BM404 where there is no such team; other errors as app.require_permission.';

create function app.delete_team(of_organization uuid, id uuid, origin app.origin) returns boolean
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  old text;
begin
  perform app.begin_change(of_organization, 'teams.manage');
  delete from app.team where organization_id = of_organization and team_id = id returning name into old;
  if old is null then
    return false;
  end if;
  perform app.record_organization_event(of_organization, 'team.deleted', 'team:' || id, jsonb_build_object('name', old), null, origin);
  return true;
end
$$;
comment on function app.delete_team(uuid, uuid, app.origin) is 'Whether there was one; its members stay who they are. Errors as app.require_permission.';

create function app.change_team_member(of_organization uuid, id uuid, who uuid, belongs boolean, origin app.origin) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform app.begin_change(of_organization, 'teams.manage');
  if not exists (select from app.team where organization_id = of_organization and team_id = id) then
    raise exception 'no such team' using errcode = 'BM404';
  end if;
  if belongs then
    -- Whom an admin may not list yet, they put into no team.
    if not exists (select from board.member where organization_id = of_organization and uid = who) then
      raise exception 'no such member' using errcode = 'BM404';
    end if;
    insert into app.team_member (organization_id, team_id, uid) values (of_organization, id, who) on conflict do nothing;
  else
    delete from app.team_member where organization_id = of_organization and team_id = id and uid = who;
  end if;
  if found then
    perform app.record_organization_event(of_organization, case when belongs then 'team.member-added' else 'team.member-removed' end,
      'user:' || who, case when not belongs then jsonb_build_object('team', id) end,
      case when belongs then jsonb_build_object('team', id) end, origin);
  end if;
end
$$;
comment on function app.change_team_member(uuid, uuid, uuid, boolean, app.origin) is
  'Puts a member into a team, or takes them out. BM404 where there is no such team or member; other errors as app.require_permission.';

revoke all on function app.create_team(uuid, uuid, text, app.origin), app.rename_team(uuid, uuid, text, app.origin),
  app.delete_team(uuid, uuid, app.origin), app.change_team_member(uuid, uuid, uuid, boolean, app.origin) from public;
grant execute on function app.create_team(uuid, uuid, text, app.origin), app.rename_team(uuid, uuid, text, app.origin),
  app.delete_team(uuid, uuid, app.origin), app.change_team_member(uuid, uuid, uuid, boolean, app.origin) to breathmaster_api;
set local role breathmaster_boards;
grant select on board.member to breathmaster_owner;
set local role breathmaster_owner;

-- MARK: On the board

-- Teams of either kind, with those of their members who are on the company's board of a week: who shares nothing there
-- counts for nothing. Only a team of five such members is answered, so that nobody is told of a smaller one, nor who is
-- in it.
create function app.teams_on_board(week text, asked uuid default null) returns table (team_id uuid, name text, uids uuid[])
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  company constant uuid := (app.own_company_boards())[1];
begin
  if company is null then
    return;
  end if;
  perform set_config('app.tending', 'infinity', true), set_config('app.closing_season', 'none', true);
  return query
    with belonging as (
      select m.team_id, m.uid from app.team_member m
      where m.organization_id = company and (asked is null or m.team_id = asked)
      union all
      select g.directory_group_id, m.uid
      from app.directory_group_member g
        join app.member m on m.organization_id = g.organization_id and m.directory_user_id = g.directory_user_id
      where g.organization_id = company and (asked is null or g.directory_group_id = asked)
    ), large as (
      select b.team_id, array_agg(b.uid) as uids
      from belonging b join app.company_standing s on s.organization_id = company and s.period = week and s.uid = b.uid
      group by b.team_id
      having count(*) >= 5
    )
    select l.team_id, coalesce(t.name, g.display_name), l.uids
    from large l
      left join app.team t on t.organization_id = company and t.team_id = l.team_id
      left join app.directory_group g on g.organization_id = company and g.directory_group_id = l.team_id;
  perform set_config('app.tending', '', true), set_config('app.closing_season', '', true);
end
$$;
comment on function app.teams_on_board(text, uuid) is
  'The teams of the bound organization, or one, with five or more members on its board of a week, and who these are. None where the bound user may not see that board.';

create function app.team_on_board(week text, asked uuid) returns uuid[]
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  found_uids uuid[];
begin
  select t.uids into found_uids from app.teams_on_board(week, asked) t;
  if not found then
    raise exception 'no such team on the board' using errcode = 'BM404', constraint = 'team_not_on_board';
  end if;
  return found_uids;
end
$$;
comment on function app.team_on_board(text, uuid) is
  'Those members of a team who are on the board of the bound organization. Raises BM404 (team_not_on_board) where there are fewer than five, as where there is no such team.';

revoke all on function app.teams_on_board(text, uuid), app.team_on_board(text, uuid) from public;
grant create on schema app to breathmaster_worker;
grant execute on function app.own_company_boards() to breathmaster_worker;
alter function app.teams_on_board(text, uuid) owner to breathmaster_worker;
alter function app.team_on_board(text, uuid) owner to breathmaster_worker;
set local role breathmaster_worker;
grant execute on function app.teams_on_board(text, uuid), app.team_on_board(text, uuid) to breathmaster_api;

-- MARK: The end of a company

-- As before, and steps through its directory, its teams and its keys as well.
create or replace function app.delete_organizations(at timestamptz, most integer, out removed integer, out finished uuid)
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
  for part, key in values
    ('company_season_rank', 'uid'), ('company_standing', 'uid'), ('invitation', 'invitation_id'),
    ('team_member', 'team_id, uid'), ('team', 'team_id'),
    ('directory_group_member', 'directory_group_id, directory_user_id'), ('directory_group', 'directory_group_id'),
    ('member', 'uid'), ('directory_user', 'directory_user_id'), ('directory_tally', 'shard'), ('directory_leaver', 'digest'),
    ('organization_key', 'key_id'), ('domain_claim', 'domain'), ('organization_event', 'number')
  loop
    execute format('delete from app.%1$I where organization_id = $1 and (%2$s) in
      (select %2$s from app.%1$I where organization_id = $1 limit $2)', part, key) using due, most;
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
set local role breathmaster_owner;
revoke create on schema app from breathmaster_worker;
