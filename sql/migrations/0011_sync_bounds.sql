-- Bounds on what is kept of a person's syncs, so that neither years nor a device gone
-- wrong fill the database.

-- What was sent and answered can be deleted, but not while a device may still ask
-- for it again.
grant delete on app.sync_batch to breathmaster_api;
create policy sync_batch_kept on app.sync_batch as restrictive for delete to breathmaster_api
  using (uid = (select app.uid()) and received_at < now() - interval '30 days');

-- Sessions in quarantine count for nothing, so the count of those that do is no bound
-- on them; nor is it on those that were cleared.
create function app.refuse_more_sessions(most integer) returns void
  language plpgsql stable
  set search_path = pg_catalog, pg_temp
as $$
begin
  if (select count(*) from (select from app.session where uid = app.uid() limit most + 1) as kept) > most then
    raise exception 'more sessions than a person can have' using errcode = 'BM413';
  end if;
end
$$;
comment on function app.refuse_more_sessions(integer) is
  'Raises BM413 where the bound user has more sessions than that, counting or not, from before a clear or since.';
revoke all on function app.refuse_more_sessions(integer) from public;
grant execute on function app.refuse_more_sessions(integer) to breathmaster_api;
