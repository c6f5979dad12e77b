-- Boards after a merge of two accounts and behind a block; teams in a final season; and names in more scripts.

-- Without a default, so that no row is written anew.
alter table app.session add column taken_over_at timestamptz;
comment on column app.session.taken_over_at is
  'When it came with another account of the same person; null where a device brought it. A week that was closed before does not count it.';

-- As before; sessions say when they came with the account, and who blocked it has blocked the one that stays.
create or replace function app.take_over_account(goes uuid, origin app.origin) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  stays constant uuid := app.uid();
  old_epoch integer;
  new_epoch integer := (select epoch from app.game_state where uid = stays);
  horizon date;
  devices app.device[];
  sessions app.session[];
  appeals app.session_appeal[];
  decisions app.appeal_decision[];
  batches app.sync_batch[];
  friends uuid[];
  blocked uuid[];
  blocked_by uuid[];
  other uuid;
begin
  perform from app.account_merge
  where uid = goes and into_uid = stays and confirmed_at is not null and good_until > origin.happened_at
  for update;
  if not found then
    raise exception 'both have not said yes' using errcode = 'BM404';
  end if;
  -- Who blocks one of the two has done so before this looks, or does it afterwards.
  perform app.take_turns(goes, stays);

  -- As the one that goes: everything is taken along, and the account ends.
  perform set_config('app.uid', goes::text, true);
  perform from app.user where uid = goes for update;
  select epoch, detail_from into old_epoch, horizon from app.game_state where uid = goes;
  devices := array(select d from app.device d where d.uid = goes);
  sessions := array(select s from app.session s where s.uid = goes);
  appeals := array(select a from app.session_appeal a where a.uid = goes);
  decisions := array(select d from app.appeal_decision d where d.uid = goes);
  batches := array(select b from app.sync_batch b where b.uid = goes and b.epoch = old_epoch);
  friends := array(
    select case when f.uid = goes then f.friend_uid else f.uid end from app.friendship f
    where goes in (f.uid, f.friend_uid) and f.accepted_at is not null and stays not in (f.uid, f.friend_uid));
  blocked := array(select b.blocked_uid from app.block b where b.uid = goes and b.blocked_uid <> stays);
  blocked_by := array(select b.uid from app.block b where b.blocked_uid = goes and b.uid <> stays);
  for other in select organization_id from app.member where uid = goes loop
    perform app.end_membership(other, goes, origin);
  end loop;
  perform app.forget_password_resets(array(select c.address from app.email_claim c where c.uid = goes));
  delete from app.user where uid = goes;

  -- As the one that stays, in the later of the two epochs. What it has already, it keeps.
  perform set_config('app.uid', stays::text, true), set_config('app.organization_id', '', true);
  update app.sync_batch set epoch = greatest(old_epoch, new_epoch) where uid = stays and epoch = new_epoch;
  new_epoch := greatest(old_epoch, new_epoch);
  update app.game_state set detail_from = greatest(detail_from, horizon) where uid = stays;
  insert into app.device
  select r.* from unnest(devices) as d
    cross join lateral jsonb_populate_record(d, jsonb_build_object('uid', stays, 'family', null)) as r
  on conflict do nothing;
  -- What was cleared there is of an epoch before the first, so that it is known when a device brings it again.
  insert into app.session
  select r.* from unnest(sessions) as s
    cross join lateral jsonb_populate_record(s, jsonb_build_object('uid', stays, 'taken_over_at', origin.happened_at,
      'epoch', case when s.epoch = old_epoch then new_epoch else 0 end)) as r
  on conflict (uid, device_id, session_id, started_at) do update set pardoned = session.pardoned or excluded.pardoned;
  insert into app.session_appeal
  select r.* from unnest(appeals) as a cross join lateral jsonb_populate_record(a, jsonb_build_object('uid', stays)) as r
  on conflict do nothing;
  insert into app.appeal_decision
  select r.* from unnest(decisions) as d cross join lateral jsonb_populate_record(d, jsonb_build_object('uid', stays)) as r
  on conflict do nothing;
  -- By what its devices were handed their next claims are measured; nothing is answered the same again.
  insert into app.sync_batch
  select r.* from unnest(batches) as b
    cross join lateral jsonb_populate_record(b, jsonb_build_object(
      'uid', stays, 'batch_id', gen_random_uuid(), 'epoch', new_epoch, 'answer', null)) as r;
  foreach other in array blocked loop
    perform app.block_person(other);
  end loop;
  -- Nobody is rid of a block by becoming another account of theirs. Each is made as the one who wants it, in the place
  -- that the block of the other account has left.
  foreach other in array blocked_by loop
    perform set_config('app.uid', other::text, true);
    perform app.block_person(stays);
  end loop;
  perform set_config('app.uid', stays::text, true);
  insert into app.friendship (uid, friend_uid, asked_by, asked_at)
  select least(stays, them), greatest(stays, them), them, origin.happened_at from unnest(friends) as f (them)
  where not exists (select from app.block b where them in (b.uid, b.blocked_uid))
  limit greatest(0, 100 - (select count(*) from app.friendship where accepted_at is null and asked_by <> stays))
  on conflict do nothing;
end
$$;
comment on function app.take_over_account(uuid, app.origin) is
  'Ends an account that is to end in the bound user''s, and gives that what was practised there: devices, sessions, appeals; its blocks, and those of it. What it adds up to is for the server to write, in the same transaction. Raises BM404 where both have not said yes, and last_owner where a company would be without one.';

create function app.uids_behind_blocks() returns uuid[]
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select array(
    select case when b.uid = (select app.uid()) then b.blocked_uid else b.uid end from app.block b
    where (select app.uid()) in (b.uid, b.blocked_uid)
  );
$$;
comment on function app.uids_behind_blocks() is
  'Those whom the bound user blocked and those who blocked them. For what counts a board as they see it, in functions alone.';
revoke all on function app.uids_behind_blocks() from public;
grant execute on function app.uids_behind_blocks() to breathmaster_worker;

-- As before, but of those whom the viewer sees: a board of four, which is no board, could only be one of five with a
-- block. Of a final season those count who are in its history, and nobody who came later; whoever practised on a day
-- of it is there by consistency.
grant create on schema app to breathmaster_worker;
set local role breathmaster_worker;
create or replace function app.teams_on_board(week text, asked uuid default null) returns table (team_id uuid, name text, uids uuid[])
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  company constant uuid := (app.own_company_boards())[1];
  is_final constant boolean := exists (select from app.season where period = week and finalised_at is not null);
  unseen constant uuid[] := app.uids_behind_blocks();
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
    ), on_board as (
      select s.uid from app.company_standing s
      where not is_final and s.organization_id = company and s.period = week
      union all
      select r.uid from app.company_season_rank r
      where is_final and r.organization_id = company and r.period = week and r.metric = 'weekly_consistency' and r.shown
    ), large as (
      select b.team_id, array_agg(b.uid) as uids
      from belonging b join on_board s on s.uid = b.uid
      where b.uid <> all (unseen)
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
  'The teams of the bound organization, or one, with five or more members on its board of a week whom the bound user sees there, and who these are. None where the bound user may not see that board.';
comment on function app.team_on_board(text, uuid) is
  'Those members of a team whom the bound user sees on the board of the bound organization. Raises BM404 (team_not_on_board) where there are fewer than five, as where there is no such team.';
set local role breathmaster_owner;
revoke create on schema app from breathmaster_worker;

-- The server counts a name by what a reader takes for one character; a joined emoji is one of several code points. What
-- was good still is, so the tables are read once and nothing is found.
-- squawk-ignore ban-drop-constraint
alter table app.user drop constraint user_display_name_invalid, drop constraint user_real_name_invalid;
-- squawk-ignore constraint-missing-not-valid
alter table app.user add constraint user_display_name_invalid
  check (char_length(display_name) between 1 and 160 and display_name is normalized
    and display_name !~ '[[:cntrl:]]' and display_name ~ '[^[:space:]]');
-- squawk-ignore constraint-missing-not-valid
alter table app.user add constraint user_real_name_invalid
  check (char_length(real_name) between 1 and 320 and real_name is normalized
    and real_name !~ '[[:cntrl:]]' and real_name ~ '[^[:space:]]');
-- squawk-ignore ban-drop-constraint
alter table app.organization drop constraint organization_name_invalid;
-- squawk-ignore constraint-missing-not-valid
alter table app.organization add constraint organization_name_invalid check (char_length(name) between 1 and 320);
-- squawk-ignore ban-drop-constraint
alter table app.team drop constraint team_name_invalid;
-- squawk-ignore constraint-missing-not-valid
alter table app.team add constraint team_name_invalid
  check (char_length(name) between 1 and 320 and name is normalized and name !~ '[[:cntrl:]]' and name ~ '[^[:space:]]');
-- An invitation names the company. What may wait here is little, and gone soon.
-- squawk-ignore ban-drop-constraint
alter table app.outbox drop constraint outbox_about_invalid;
-- squawk-ignore constraint-missing-not-valid
alter table app.outbox add constraint outbox_about_invalid check (char_length(about) <= 320);
