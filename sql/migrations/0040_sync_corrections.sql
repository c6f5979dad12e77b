-- What was cleared goes, as far as it serves nothing: its days at once, its challenges with the detail of their time. And
-- a person's challenges have a bound, as their sessions do.

-- In the order in which a sync takes them: one that waited in between would wait for this, and this for it.
lock table app.game_state, app.practice_day, app.daily_challenge in access exclusive mode;

-- Nothing needs a day of an epoch that is over: standings are made of the current one's, and those of weeks that were
-- closed before a clear stay as they are. From now on a clear removes them itself.
alter table app.game_state no force row level security;
alter table app.practice_day no force row level security;
delete from app.practice_day d using app.game_state g where g.uid = d.uid and d.epoch < g.epoch;
alter table app.game_state force row level security;
alter table app.practice_day force row level security;

-- MARK: What is forgotten

create policy daily_challenge_forgetting on app.daily_challenge to breathmaster_worker
  using (uid = (select app.forgetting_uid())) with check (uid = (select app.forgetting_uid()));
grant select (uid, device_id, epoch, challenge_id, local_day), delete on app.daily_challenge to breathmaster_worker;
grant select (epoch, epoch_started_at) on app.game_state to breathmaster_worker;

-- As before; and challenges that were cleared.
grant create on schema app to breathmaster_worker;
set local role breathmaster_worker;
create or replace function app.forget_detail(place uuid, at timestamptz, people integer, most integer, out next_place uuid, out forgotten integer)
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  today constant date := (at at time zone 'UTC')::date;
  person record;
  horizon date;
  gone integer;
begin
  forgotten := 0;
  perform set_config('app.auditing', place::text, true);
  for person in
    select u.uid, u.data_retention from app.user u where u.uid > place order by u.uid limit people
  loop
    perform set_config('app.forgetting_uid', person.uid::text, true);
    horizon := today - person.data_retention;
    -- A local day ends 18 hours after UTC's at the latest, and whatever ended in it had begun by then.
    if exists (
      select from app.session s
      where s.uid = person.uid and s.began_at < (horizon + 1)::timestamp at time zone 'UTC' and s.local_day < horizon
    ) then
      -- A sync that is under way goes by what it has read; that person waits for the next time.
      perform from app.game_state g where g.uid = person.uid for no key update skip locked;
      if found then
        update app.game_state g set detail_from = greatest(g.detail_from, horizon) where g.uid = person.uid;
        delete from app.session s
        where s.uid = person.uid and (s.device_id, s.session_id, s.started_at) in (
          select o.device_id, o.session_id, o.started_at from app.session o
          where o.uid = person.uid and o.began_at < (horizon + 1)::timestamp at time zone 'UTC' and o.local_day < horizon
          limit greatest(0, most - forgotten)
        );
        get diagnostics gone = row_count;
        forgotten := forgotten + gone;
      end if;
    end if;
    -- One of the clear's day or before is known by its day to be cleared; UTC's day before is that wherever the device was.
    -- Any other would come back if a device brought it again, as would one that another account had cleared, and stays.
    if exists (
      select from app.game_state g join app.daily_challenge c on c.uid = g.uid and c.epoch < g.epoch
      where g.uid = person.uid and c.local_day < horizon and c.local_day < (g.epoch_started_at at time zone 'UTC')::date
    ) then
      perform from app.game_state g where g.uid = person.uid for no key update skip locked;
      if found then
        delete from app.daily_challenge c
        where c.uid = person.uid and (c.device_id, c.epoch, c.challenge_id) in (
          select o.device_id, o.epoch, o.challenge_id
          from app.game_state g join app.daily_challenge o on o.uid = g.uid and o.epoch < g.epoch
          where g.uid = person.uid and o.local_day < horizon and o.local_day < (g.epoch_started_at at time zone 'UTC')::date
          limit greatest(0, most - forgotten)
        );
        get diagnostics gone = row_count;
        forgotten := forgotten + gone;
      end if;
    end if;
    -- An answer says what became of each session. What it handed out is needed still, and stays.
    update app.sync_batch b set answer = null
    where b.uid = person.uid and b.batch_id in (
      select o.batch_id from app.sync_batch o
      where o.uid = person.uid and o.received_at < horizon::timestamp at time zone 'UTC' and o.answer is not null
      limit most
    );
    get diagnostics gone = row_count;
    forgotten := forgotten + gone;
    delete from app.audit_event e
    where e.uid = person.uid and (e.happened_at, e.event_id) in (
      select o.happened_at, o.event_id from app.audit_event o
      where o.uid = person.uid and o.happened_at < at - interval '400 days'
      limit most
    );
    get diagnostics gone = row_count;
    forgotten := forgotten + gone;
    -- There may be more of this person, who comes first again.
    exit when forgotten >= most;
    next_place := person.uid;
  end loop;
  next_place := coalesce(next_place, case when forgotten >= most then place end);
  perform set_config('app.auditing', '', true), set_config('app.forgetting_uid', '', true);
end
$$;
comment on function app.forget_detail(uuid, timestamptz, integer, integer) is
  'One step of forgetting: of some people after a place, sessions, cleared challenges and answers that are older than they keep them, and lines of their records of more than 400 days. Where to go on, null where nobody is left, and how much went.';
set local role breathmaster_owner;
revoke create on schema app from breathmaster_worker;

-- MARK: A bound

-- Three a day for eighteen years, those that were cleared included: a device gone wrong makes no more.
create function app.refuse_more_challenges() returns trigger
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (
    select from (select distinct uid from arrived) as who
    where (
      select count(*) from (select from app.daily_challenge c where c.uid = who.uid limit 20001) as kept
    ) > 20000
  ) then
    raise exception 'no room for another challenge' using errcode = 'BM422', constraint = 'challenge_limit_reached';
  end if;
  return null;
end
$$;
comment on function app.refuse_more_challenges() is
  'Raises challenge_limit_reached where somebody would have more than 20000 challenges, from before a clear or since.';
revoke all on function app.refuse_more_challenges() from public;

-- Once for however many a device brings, and not at all where it brings none that is new.
create trigger daily_challenge_bounded after insert on app.daily_challenge
  referencing new table as arrived
  for each statement execute function app.refuse_more_challenges();
