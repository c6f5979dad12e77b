-- Rules that every table and function keeps, asked of the catalog, so that one
-- that is added later and breaks a rule is found without a test of its own.
begin;
set local client_min_messages = warning;
create extension if not exists pgtap;
select plan(30);
\ir support/cast.sql

-- The tables of the schema, with the column that leads the primary key. A table is
-- personal when a column of it names a person or a company; one that does not may
-- be read by everybody and needs no policy.
create view test.relation as
select c.oid, c.relname::text collate "default" as name, c.relrowsecurity as secured, c.relforcerowsecurity as forced, c.relowner,
  (select a.attname::text collate "default" from pg_attribute a where a.attrelid = c.oid and a.attnum = k.conkey[1]) as leads,
  exists (
    select from pg_attribute a
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      and (a.attname ~ '(^|_)uid$' or a.attname = 'organization_id')
  ) as personal
from pg_class c
  left join pg_constraint k on k.conrelid = c.oid and k.contype = 'p'
where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p');
grant select on test.relation to public;

-- A table that nobody in the cast has a row in would pass the tests below for
-- want of anything to see.
create function test.empty_tables() returns setof text language plpgsql as $$
declare
  relation text;
  filled boolean;
begin
  for relation in select name from test.relation loop
    execute format('select exists (select from app.%I)', relation) into filled;
    if not filled then
      return next relation;
    end if;
  end loop;
end
$$;
select is_empty('select test.empty_tables()', 'The cast has a row in every table.');

-- Row security. Enabled holds everyone but the owner; forced holds the owner too,
-- whose rights the functions have.

select is_empty('select name from test.relation where personal and not secured',
  'Row security is enabled on every table with a person or a company in it.');
select is_empty('select name from test.relation where personal and not forced',
  'Row security is forced on every table with a person or a company in it.');
select is_empty($$ select name from test.relation where relowner <> 'breathmaster_owner'::regrole $$,
  'Every table belongs to the owner.');
select is_empty(
  $$ select r.name from test.relation r
     where r.personal and not exists (select from pg_policy p where p.polrelid = r.oid) $$,
  'Every table with a person or a company in it has a policy.');

select is_empty(
  $$ select tablename, policyname from pg_policies where schemaname in ('app', 'board') and 'public' = any (roles) $$,
  'Every policy names the roles that it is for.');

-- One form: a helper is called in a sub-select of its own, which the planner
-- evaluates once. With those taken away no call may be left, and no condition
-- may do without one.
create view test.condition as
select tablename, policyname, cmd, expression,
  regexp_replace(
    expression,
    '\( SELECT (app\.(uid|organization_id|key_organization_id|followed_organization_id|provisioned_domains|circle|own_organization_ids|managed_organization_ids|own_company_boards|own_domains|own_addresses|inviting_organization_ids|tended_organization_id|closing_season|delivering|tending|addressed|identified|auditing|forgetting_uid)\(\) AS \w+|app\.permitted_organization_ids\(''[a-z.]+''::text\) AS \w+|b\.uid\s+FROM board\.blocked b|unnest\(app\.company_guests\(\)\) AS unnest|w\.period\s+FROM board\.week_without_history w)\)', '?', 'g'
  ) as form
from pg_policies,
  lateral (values (qual), (with_check)) as condition (expression)
where schemaname = 'app' and expression is not null;

select is_empty($$ select policyname, expression from test.condition where form !~ '\?' $$,
  'Every policy asks who or whose key is bound, which season is being closed, when mail is delivered or a job tends to companies, which address or identity is named, how far an audit has come, or whose detail is forgotten.');
select is_empty($$ select policyname, expression from test.condition where form ~ 'app\.|SELECT|current_setting' $$,
  'Every policy asks it once for a statement, in the one form.');
select is_empty(
  $$ select tablename, policyname from pg_policies
     where schemaname = 'app' and cmd in ('ALL', 'INSERT', 'UPDATE') and with_check is null $$,
  'Every policy that lets rows be written says which.');

-- Keys.

select results_eq(
  $$ select name, coalesce(leads, 'no key') from test.relation
     where personal and coalesce(leads, '') not in ('uid', 'organization_id') order by name $$,
  $$ values ('global_standing', 'period') $$,
  'Each primary key leads with the uid or the organization_id; the global board is nobody''s, and the exception.');

-- An owner column that may be null, or has another type, is none.
select is_empty(
  $$ select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid
     where c.relnamespace in ('app'::regnamespace, 'board'::regnamespace) and a.attnum > 0
       and (a.attname ~ '(^|_)uid$' or a.attname = 'organization_id') and a.atttypid <> 'uuid'::regtype $$,
  'A uid or organization_id has the same type everywhere.');

-- Unique but not led by the owner: what is unique across owners reveals a
-- hidden row. Each of these is a fact that is meant to be unique in the world.
select results_eq(
  $$ select i.indexrelid::regclass::text
     from pg_index i
       join test.relation r on r.oid = i.indrelid
       left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
     where i.indisunique and a.attname::text is distinct from r.leads
     order by 1 $$,
  array['app.account_merge_code_taken', 'app.device_request_code_taken', 'app.domain_claim_taken', 'app.email_claim_taken',
    'app.friend_code_taken', 'app.identity_taken'],
  'Only a domain, an address, an identity and codes are unique across owners.');

-- A foreign key crosses when it does not lead with what leads its table. Those are
-- the ones that a schema spread over several nodes has to drop, so that they can be
-- found by their name.
create view test.reference as
select k.conname::text as name, r.name as relation, a.attname::text is distinct from r.leads as crosses, k.conrelid, k.conkey,
  k.confdeltype
from pg_constraint k
  join test.relation r on r.oid = k.conrelid
  left join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
where k.contype = 'f';

select is_empty($$ select relation, name from test.reference where crosses and name !~ '_across$' $$,
  'A foreign key that crosses owners says so by its name.');
select is_empty($$ select relation, name from test.reference where not crosses and name ~ '_across$' $$,
  'A foreign key that stays with its owner does not claim to cross.');
-- Without one, deleting a user reads the whole table.
select is_empty(
  $$ select f.relation, f.name from test.reference f
     where not exists (
       select from pg_index i
       where i.indrelid = f.conrelid and i.indpred is null
         and f.conkey @> (i.indkey::int2[])[0:cardinality(f.conkey) - 1]
         and f.conkey <@ (i.indkey::int2[])[0:cardinality(f.conkey) - 1]) $$,
  'Every foreign key has an index that leads with its columns.');
-- Deleting a person or a company is one statement, and nothing is left to find.
select is_empty($$ select relation, name from test.reference where confdeltype <> 'c' $$,
  'Every foreign key cascades.');

-- Functions that run with their owner's rights: whoever may call one has a piece of
-- these rights, so what they mean by a name must not depend on the caller.

create view test.definer as
select p.oid, p.proname::text as name, p.proowner,
  (select setting from unnest(p.proconfig) as setting where setting like 'search_path=%') as path
from pg_proc p
where p.pronamespace in ('app'::regnamespace, 'board'::regnamespace) and p.prosecdef;

select is_empty(
  $$ select name, path from test.definer
     where path is null or path !~ '^search_path=pg_catalog, (.*, )?pg_temp$' $$,
  'Every function with its owner''s rights looks names up in the catalog first and in the session''s own objects last.');
-- A function is callable by everybody from the moment it is made, until that is
-- taken back.
select is_empty($$ select name from test.definer where has_function_privilege('public', oid, 'execute') $$,
  'No function with its owner''s rights can be called by just anyone.');
select is_empty(
  $$ select name, proowner::regrole from test.definer
     where proowner not in ('breathmaster_owner'::regrole, 'breathmaster_boards'::regrole, 'breathmaster_worker'::regrole) $$,
  'No function runs with the rights of a superuser or of a role of another purpose.');

-- A binding that outlived its transaction would be there for whoever is given the
-- connection next. Functions that bind all do so with set_config, whose last word
-- says for how long.
select is_empty(
  $$ select proname from pg_proc
     where pronamespace in ('app'::regnamespace, 'board'::regnamespace)
       and prosrc ~* 'set_config' and prosrc ~* ',\s*false\s*\)' $$,
  'No function binds anybody for longer than the transaction.');

-- Views run with their owner's rights as well. A materialized view keeps rows that
-- no policy looks at, and one without a barrier may show them to a caller's own
-- function before its condition has sorted them out.

select is_empty(
  $$ select c.oid::regclass from pg_class c
     where c.relnamespace in ('app'::regnamespace, 'board'::regnamespace) and c.relkind in ('v', 'm')
       and (c.relowner <> 'breathmaster_boards'::regrole or c.relkind = 'm'
         -- Of one table whose policy is a barrier itself: none has a condition that tells people apart.
         or c.oid not in ('board.global'::regclass, 'board.company'::regclass, 'board.global_season_rank'::regclass,
             'board.company_season_rank'::regclass)
           and not 'security_barrier=true' = any (coalesce(c.reloptions, '{}'))) $$,
  'Every view belongs to the role of the boards, keeps no rows of its own and lets no condition look before its own.');

-- What the server can read at all, it cannot read unbound. A statement that
-- answers is reported, whatever it answers: an empty answer looks like a person
-- without practice and would be believed.
create function test.answering() returns setof text language plpgsql as $$
declare
  relation text;
begin
  for relation in
    select format('%I.%I', n.nspname, c.relname)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('app', 'board') and c.relkind in ('r', 'p', 'v', 'm', 'f')
      and has_any_column_privilege('breathmaster_api', c.oid, 'select')
    order by 1
  loop
    begin
      execute 'select count(*) from ' || relation;
      return next relation;
    exception
      when insufficient_privilege then null;
    end;
  end loop;
end
$$;
call test.be_unbound();
select throws_ok('select from app.user', '42501', 'no principal is bound to this transaction',
  'Unbound, the server is told that nobody is bound.');
select is_empty('select test.answering()', 'Unbound, every table and view that the server may read raises.');
reset role;

-- And bound to a person who has nothing to do with anyone, it finds and reaches
-- only what is that person's. The one place where others appear is the boards.
create function test.reached(verb text) returns setof text language plpgsql as $$
declare
  relation record;
  others text;
  statement text;
begin
  for relation in
    select r.name, a.attname::text as owner,
      -- A column that the server may write, if there is one: otherwise the
      -- privilege alone would answer.
      coalesce(
        (select w.attname::text from pg_attribute w
         where w.attrelid = r.oid and w.attnum > 0 and not w.attisdropped
           and has_column_privilege('breathmaster_api', r.oid, w.attnum, 'update') limit 1),
        a.attname::text) as written
    from test.relation r
      join pg_attribute a on a.attrelid = r.oid and a.attname::text in ('uid', 'organization_id') and a.attnum > 0
    order by 1
  loop
    others := format('where %I is distinct from test.stranger()', relation.owner);
    statement := case verb
      when 'select' then format('select from app.%I %s', relation.name, others)
      when 'lock' then format('select from app.%I %s for update', relation.name, others)
      when 'update' then format('update app.%1$I set %2$I = %2$I %3$s', relation.name, relation.written, others)
      when 'delete' then format('delete from app.%I %s', relation.name, others)
    end;
    begin
      if test.rows(statement) > 0 then
        return next relation.name;
      end if;
    exception
      when insufficient_privilege then null;
    end;
  end loop;
end
$$;
call test.be(test.stranger());
select is_empty($$ select test.reached('select') $$, 'A stranger reads no row of anybody else in any table.');
select is_empty($$ select test.reached('lock') $$, 'A stranger locks no row of anybody else in any table.');
select is_empty($$ select test.reached('update') $$, 'A stranger changes no row of anybody else in any table.');
select is_empty($$ select test.reached('delete') $$, 'A stranger deletes no row of anybody else in any table.');
reset role;

-- Leaving for good. Every uuid in the schema is looked at, under whatever name, and
-- whether or not a foreign key leads from it. It is the person who leaves: bound as
-- themself, in a function's role, under forced row security.
create function test.mentions(who uuid) returns setof text language plpgsql as $$
declare
  place record;
  found_there boolean;
begin
  for place in
    select r.name, a.attname::text as column from test.relation r join pg_attribute a on a.attrelid = r.oid
    where a.attnum > 0 and not a.attisdropped and a.atttypid = 'uuid'::regtype
    order by 1, 2
  loop
    execute format('select exists (select from app.%I where %I = $1)', place.name, place.column) into found_there using who;
    if found_there then
      return next place.name || '.' || place.column;
    end if;
  end loop;
end
$$;
select is_empty(
  $$ select name || '.uid' from test.relation r
     where exists (select from pg_attribute a where a.attrelid = r.oid and a.attname = 'uid')
       and name <> 'friendship'
     except
     select test.mentions(test.ada()) $$,
  'Ada has a row in every table that has people in it.');
-- Somebody else has to own her company before.
update app.member set role = 'owner' where uid = test.ben();
select app.bind(test.ada());
set local role breathmaster_owner;
delete from app.user where uid = test.ada();
reset role;
select is_empty('select test.mentions(test.ada())', 'After a user is deleted no row of any table mentions them.');
select is((select count(*) from app.user), 4::bigint, 'Deleting one user deletes no other.');

select * from finish();
rollback;
