-- The digest of a final season tells nobody who is in it; whom somebody removed as a friend waits; and a week isn't
-- closed before its time.

-- Who sees all rows but one could try uids and values until the digest of all fits. So what is published has something
-- in it that nobody can try. It is drawn for each row, those that there are too: they are few, and written by a job.
alter table app.global_season add column salt bytea not null
  -- squawk-ignore adding-field-with-default
  default sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) check (octet_length(salt) = 32);
alter table app.company_season add column salt bytea not null
  -- squawk-ignore adding-field-with-default
  default sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) check (octet_length(salt) = 32);
comment on column app.global_season.salt is
  'Drawn by lot, and shown to nobody: without it nothing can be tried against the digest that is published.';
comment on column app.global_season.digest is
  'A chain over the ranks in their order, each SHA-256 of what was before and of "rank,uid,value;". It stays as it was when people go. Shown to nobody as it is: what is published is SHA-256 of the salt and this.';
comment on column app.company_season.salt is 'As app.global_season has it.';
comment on column app.company_season.digest is 'As app.global_season has it.';

set local role breathmaster_boards;
create or replace view board.global_season with (security_barrier) as
select period, metric, people, sha256(salt || digest) as digest, finalised_at
from app.global_season
where finalised_at is not null and (select app.uid()) is not null;
comment on view board.global_season is
  'The global boards that are history: how many were ranked, and what vouches for the digest of their ranks without telling it.';
comment on column board.global_season.digest is
  'SHA-256 of the salt and the digest of the ranks: evidence for whoever keeps both, and for others no way to try who was ranked.';

create or replace view board.company_season with (security_barrier) as
select organization_id, period, metric, people, sha256(salt || digest) as digest, finalised_at
from app.company_season
where finalised_at is not null and (select app.uid()) is not null;
comment on column board.company_season.digest is 'As board.global_season has it.';
set local role breathmaster_owner;

-- Somebody who was removed is one who was declined: what they ask afterwards waits, and can't be told from a block.
alter table app.friendship add column ended_at timestamptz
  constraint friendship_ended_is_not_accepted check (ended_at is null or accepted_at is null);
comment on column app.friendship.asked_by is
  'Who asked; once the friendship was ended, whom the other one removed, as if they had asked and had been declined.';
comment on column app.friendship.ended_at is
  'When the one who isn''t asked_by ended the friendship that there was. From then on it is for them to ask, or to say yes.';

-- As before, and says since when there is the code that they give away.
-- squawk-ignore ban-drop-function
drop function app.friend_door(uuid);
create function app.friend_door(
  whom uuid, out asks_welcome boolean, out codes_welcome boolean, out accepts boolean, out closed boolean,
  out code_made_at timestamptz
)
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  me constant uuid := app.uid();
begin
  -- Nobody could be bound as nobody.
  if whom is null then
    return;
  end if;
  perform set_config('app.uid', whom::text, true);
  select place.received < 500 and u.allow_friend_requests, place.received < 500,
    u.auto_accept_friends and place.taken < 500,
    exists (select from app.block b where b.uid = u.uid and b.blocked_uid = me),
    (select c.made_at from app.friend_code c where c.uid = u.uid)
  into asks_welcome, codes_welcome, accepts, closed, code_made_at
  from app.user u, app.friend_places() as place
  where u.uid = whom;
  perform set_config('app.uid', me::text, true);
end
$$;
comment on function app.friend_door(uuid) is
  'Whether one may be asked by uid and by code, whether they accept at once, whether they blocked the one who asks, and since when there is their code. Nulls for who does not exist.';
revoke all on function app.friend_door(uuid) from public;

create or replace function app.ask_friend(other uuid, invited boolean) returns text
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  me constant uuid := app.uid();
  pair app.friendship;
  door record;
begin
  perform app.take_turns(me, other);
  if exists (select from app.block where uid = me and blocked_uid = other) then
    raise exception 'blocked by oneself' using errcode = 'BM409', constraint = 'friend_blocked';
  end if;
  select * into pair from app.friendship
  where uid = least(me, other) and friend_uid = greatest(me, other);
  if pair.accepted_at is not null then
    return 'friends';
  end if;
  if pair.asked_by <> me and pair.withdrawn_at is null then
    -- The other has said it before, and it doesn't matter whether that was declined since.
    perform app.require_friend_place(false);
    update app.friendship set accepted_at = now(), declined_at = null, ended_at = null
    where uid = pair.uid and friend_uid = pair.friend_uid;
    return 'friends';
  end if;
  if pair.asked_by = me and pair.withdrawn_at is null then
    if not invited then
      return 'requested';
    end if;
  else
    perform app.require_friend_place(true);
  end if;

  select * into door from app.friend_door(other);
  if (case when invited then door.codes_welcome else door.asks_welcome end) is not true then
    raise exception 'nobody there to ask' using errcode = 'BM404';
  end if;
  -- Who said no, and asks now, asks like anybody.
  if pair.asked_by is distinct from me then
    pair.declined_at := null;
    pair.ended_at := null;
  end if;
  -- Whom they blocked is answered as one who waits, and so is whom they declined or removed before: a code, which they
  -- gave away, takes that back; asking once more doesn't, nor does a code from before the removal.
  pair.declined_at := case
    when door.closed then now()
    when not invited or door.code_made_at <= pair.ended_at then pair.declined_at
  end;
  -- To accept somebody whom one removed is for oneself to do.
  pair.accepted_at := case when door.accepts and pair.declined_at is null and pair.ended_at is null then now() end;
  insert into app.friendship (uid, friend_uid, asked_by, accepted_at, declined_at, ended_at)
  values (least(me, other), greatest(me, other), me, pair.accepted_at, pair.declined_at, pair.ended_at)
  on conflict (uid, friend_uid) do update
    set (asked_by, asked_at, accepted_at, declined_at, withdrawn_at, ended_at)
      = (excluded.asked_by, excluded.asked_at, excluded.accepted_at, excluded.declined_at, null, excluded.ended_at);
  return case when pair.accepted_at is null then 'requested' else 'friends' end;
end
$$;

create or replace function app.unfriend(other uuid) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  me constant uuid := app.uid();
begin
  perform app.take_turns(me, other);
  -- A request that nobody has said no to. Whom the other removed stays that, so that asking anew is no way around it.
  delete from app.friendship
  where uid = least(me, other) and friend_uid = greatest(me, other)
    and asked_by = me and accepted_at is null and declined_at is null and ended_at is null;
  update app.friendship
  set asked_by = case when accepted_at is null then asked_by else other end,
    accepted_at = null,
    declined_at = coalesce(declined_at, now()),
    withdrawn_at = case
      when accepted_at is not null or asked_by = me then coalesce(withdrawn_at, now())
      else withdrawn_at
    end,
    ended_at = case when accepted_at is null then ended_at else now() end
  where uid = least(me, other) and friend_uid = greatest(me, other);
end
$$;
comment on function app.unfriend(uuid) is
  'Declines, withdraws or ends, and nobody is told. Who is removed is from then on one who was declined.';

-- As before; whom the one that stays has declined or removed doesn't wait for an answer of theirs.
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
  select r.* from unnest(appeals) as a
    cross join lateral jsonb_populate_record(a, jsonb_build_object('uid', stays)) as r
  on conflict do nothing;
  insert into app.appeal_decision
  select r.* from unnest(decisions) as d
    cross join lateral jsonb_populate_record(d, jsonb_build_object('uid', stays)) as r
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
  limit greatest(0, 100 - (
    select count(*) from app.friendship where accepted_at is null and declined_at is null and asked_by <> stays))
  on conflict do nothing;
end
$$;

-- As before, and it doesn't take the caller's word for when a week is over: that is as Domain's Season has it. The last
-- Sunday ends on Monday at 18:00 UTC, at UTC-12 for those whose day begins at 6.
grant create on schema app to breathmaster_worker;
set local role breathmaster_worker;
create or replace function app.close_seasons(weeks text[], at timestamptz) returns setof text
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  week text;
  early constant text[] := array(
    select given from unnest(weeks) as given
    where (to_date(given, 'IYYY-"W"IW') + 7 + time '18:00') at time zone 'UTC' + interval '72 hours' > at
  );
begin
  if early <> '{}' then
    raise exception 'not over yet, and 72 hours later: %', array_to_string(early, ', ')
      using errcode = 'invalid_parameter_value';
  end if;
  if exists (select unnest(weeks) except select period from app.season) then
    -- Waits for the syncs that are under way, and the next ones wait for this.
    perform pg_advisory_xact_lock(hashtextextended('app.season', 0));
    for week in
      insert into app.season (period, closed_at)
      select distinct unnest(weeks), at
      on conflict do nothing
      returning period
    loop
      perform set_config('app.closing_season', week, true);
      -- The first by an index, and then the next: most weeks have none, and one may have a million.
      insert into app.global_season (period, metric)
      select week, unnest(array['weekly_xp', 'weekly_streak'])
      where (
        select uid from app.global_standing where period = week order by weekly_xp desc, weekly_xp_at, uid limit 1
      ) is not null;
      with recursive company as (
        (select organization_id from app.company_standing where period = week order by organization_id limit 1)
        union all
        select (
          select s.organization_id from app.company_standing s
          where s.period = week and s.organization_id > company.organization_id
          order by s.organization_id limit 1
        )
        from company
        where organization_id is not null
      )
      insert into app.company_season (organization_id, period, metric)
      select organization_id, week, metric
      from company
        cross join unnest(array['weekly_minutes', 'weekly_consistency', 'team_challenge_participation']) as metric
      where organization_id is not null;
      update app.season set finalised_at = at
      where period = week
        and not exists (select from app.global_season where period = week)
        and not exists (select from app.company_season where period = week);
    end loop;
    perform set_config('app.closing_season', '', true);
  end if;
  return query select period from app.season where period = any (weeks) and finalised_at is null order by period;
end
$$;
comment on function app.close_seasons(text[], timestamptz) is
  'Answers those of the weeks that are still to be finalised. Raises 22023, and closes none, where one of them may not be closed yet.';
set local role breathmaster_owner;
revoke create on schema app from breathmaster_worker;

comment on column app.user.show_detailed_stats is
  'Whether boards may show total XP and the longest streak of all time, and the global one the number of sessions too: on friends boards, that one goes by share_detailed_progress.';
