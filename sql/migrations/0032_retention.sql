-- How long what is known of a person is kept: the detail of their practice for as long as they
-- say, a year where they don't, and the record of their account for 400 days.
--
-- A session of a day that is older goes, and the day stays as it was added up. Totals, level,
-- streaks, standings and history come of days and of what each device has brought in all
-- (app.device.session_xp), so none of them moves. A row that is kept to recognise a session by
-- would keep what is to be forgotten: which device, and when to the millisecond. So there is
-- none, and game_state.detail_from says instead from which day on sessions are known. One that
-- comes from before is not taken, also if it never came before: beside sessions that are gone
-- nobody can tell whether it counts. As those that touch are judged together, the same goes for
-- the four days after.

alter table app.user
  add column data_retention integer not null default 365
    constraint user_data_retention_invalid check (data_retention between 30 and 3650);
comment on column app.user.data_retention is
  'Days for which the person wants the detail of their practice to be kept. What it adds up to stays.';
grant update (data_retention) on app.user to breathmaster_api;

alter table app.game_state add column detail_from date;
comment on column app.game_state.detail_from is
  'Sessions of days before this one were forgotten, in all epochs; null where none were. It never goes back.';

-- A picture is shown to others as an address. Nobody's password is in one, and nothing in it
-- that could end an attribute of a page.
-- No address was ever taken until now, so there is nothing to be looked at for long.
-- squawk-ignore ban-drop-constraint
alter table app.user drop constraint user_avatar_url_invalid;
-- squawk-ignore constraint-missing-not-valid
alter table app.user add constraint user_avatar_url_invalid
  check (char_length(avatar_url) <= 2048
    and avatar_url ~ '^https://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?([/?#][A-Za-z0-9\[\]._~:/?#@!$&''()*+,;=%-]*)?$');

-- MARK: The job

-- squawk-ignore require-concurrent-index-creation
create index sync_batch_answered on app.sync_batch (uid, received_at) where answer is not null;

create function app.forgetting_uid() returns uuid
  language sql stable parallel safe
  return nullif(current_setting('app.forgetting_uid', true), '')::uuid;
comment on function app.forgetting_uid() is
  'Whose old detail is being forgotten in this transaction; null where nobody''s is, so that nothing is seen.';

create policy game_state_forgetting on app.game_state to breathmaster_worker
  using (uid = (select app.forgetting_uid())) with check (uid = (select app.forgetting_uid()));
create policy session_forgetting on app.session to breathmaster_worker
  using (uid = (select app.forgetting_uid())) with check (uid = (select app.forgetting_uid()));
create policy sync_batch_forgetting on app.sync_batch to breathmaster_worker
  using (uid = (select app.forgetting_uid())) with check (uid = (select app.forgetting_uid()));
create policy audit_event_forgetting on app.audit_event to breathmaster_worker
  using (uid = (select app.forgetting_uid())) with check (uid = (select app.forgetting_uid()));
grant select (data_retention) on app.user to breathmaster_worker;
grant select (uid, detail_from), update (detail_from) on app.game_state to breathmaster_worker;
grant select (uid, device_id, session_id, started_at, began_at, local_day), delete on app.session to breathmaster_worker;
grant select (uid, batch_id, received_at, answer), update (answer) on app.sync_batch to breathmaster_worker;
grant select (uid, happened_at, event_id), delete on app.audit_event to breathmaster_worker;

-- People are gone through in the order of their uids, as by the audit of boards, whose policy
-- shows the job who comes next.
create function app.forget_detail(place uuid, at timestamptz, people integer, most integer, out next_place uuid, out forgotten integer)
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
  'One step of forgetting: of some people after a place, sessions and answers that are older than they keep them, and lines of their records of more than 400 days. Where to go on, null where nobody is left, and how much went.';

revoke all on function app.forgetting_uid() from public;
revoke all on function app.forget_detail(uuid, timestamptz, integer, integer) from public;
grant execute on function app.forgetting_uid() to breathmaster_worker;
grant create on schema app to breathmaster_worker;
alter function app.forget_detail(uuid, timestamptz, integer, integer) owner to breathmaster_worker;
revoke create on schema app from breathmaster_worker;
set local role breathmaster_worker;
grant execute on function app.forget_detail(uuid, timestamptz, integer, integer) to breathmaster_api;
set local role breathmaster_owner;
