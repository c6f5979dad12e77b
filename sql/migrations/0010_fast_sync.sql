-- What every statement of a sync pays for, made cheaper.

-- A statement is planned once for a connection: planning what a sync reads for its
-- own parameters takes longer than reading it. Every statement of the server
-- finds its rows by an index, whatever the parameters are. And none is worth
-- compiling, though not knowing a limit makes some look as if they were.
-- Whoever migrates may change the roles; the owner, as whom this runs, may not.
reset role;
alter role breathmaster_api set plan_cache_mode = 'force_generic_plan';
alter role breathmaster_api set jit = off;
set local role breathmaster_owner;

create function app.refuse_unbound() returns uuid
  language plpgsql stable parallel safe
as $$
begin
  raise exception 'no principal is bound to this transaction'
    using errcode = 'insufficient_privilege', hint = 'call app.bind first';
end
$$;
comment on function app.refuse_unbound() is 'Never returns: what app.uid() says where nobody is bound.';

-- Every policy asks for it, so it is of a form that becomes a part of the
-- statement that asks, instead of being called. Its names were looked up here, once.
create or replace function app.uid() returns uuid
  language sql stable parallel safe
  return case
    when current_setting('app.uid', true) <> '' then current_setting('app.uid', true)::uuid
    else app.refuse_unbound()
  end;

create or replace function app.organization_id() returns uuid
  language sql stable parallel safe
  return case
    when app.uid() is not null then nullif(current_setting('app.organization_id', true), '')::uuid
  end;
