-- A company's directory: whose it is, whom it makes members, and whom it doesn't.
begin;
set local client_min_messages = warning;
create extension if not exists pgtap;
select plan(79);
\ir support/cast.sql

-- What the directory sends is seen by whoever comes with the company's key (policies ..._provisioned),
-- and by no person, not even one who owns the company.

create function test.nobody() returns text language sql as $$
  select 'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501'::text
$$;
select is(test.each('select from app.directory_user'), test.nobody(), 'No person reads a directory.');
select is(test.each('select from app.directory_group'), test.nobody(), 'No person reads its teams.');
select is(test.each('select from app.directory_group_member'), test.nobody(), 'No person reads who is in them.');
select is(test.each('select from app.directory_leaver'), test.nobody(), 'No person reads who has left.');

-- The number of rows that a statement reaches for Acme's directory, and for Umbrella's.
create function test.each_directory(statement text, as_role name default 'breathmaster_api') returns text language plpgsql as $$
declare
  viewer record;
  outcome text;
  line text[] := '{}';
begin
  for viewer in values ('acme', test.acme()), ('umbrella', test.umbrella()) loop
    begin
      call test.be_directory(viewer.column2);
      perform set_config('role', as_role, true);
      execute statement;
      get diagnostics outcome = row_count;
      raise exception 'undo' using errcode = 'TT000';
    exception
      when sqlstate 'TT000' then null;
      when others then outcome := sqlstate;
    end;
    line := line || format('%s %s', viewer.column1, outcome);
  end loop;
  return array_to_string(line, ', ');
end
$$;
select is(test.each_directory('select from app.directory_user'), 'acme 1, umbrella 0', 'A directory sees its users alone.');
select is(test.each_directory('update app.directory_user set active = false'), 'acme 1, umbrella 0',
  'A directory changes its users alone.');
select is(test.each_directory('delete from app.directory_user'), 'acme 1, umbrella 0', 'A directory deletes its users alone.');
select is(
  test.each_directory($$ insert into app.directory_user (organization_id, directory_user_id, user_name, created_at, changed_at)
    values (test.acme(), gen_random_uuid(), 'dora', now(), now()) $$),
  'acme 1, umbrella 42501', 'A directory adds users to its company alone.');
select is(test.each_directory('select from app.directory_group'), 'acme 1, umbrella 0', 'A directory sees its teams alone.');
select is(test.each_directory('update app.directory_group set display_name = ''Ours'''), 'acme 1, umbrella 0',
  'A directory changes its teams alone.');
select is(test.each_directory('delete from app.directory_group'), 'acme 1, umbrella 0', 'A directory deletes its teams alone.');
select is(
  test.each_directory($$ insert into app.directory_group (organization_id, directory_group_id, display_name, created_at, changed_at)
    values (test.acme(), gen_random_uuid(), 'Sales', now(), now()) $$),
  'acme 1, umbrella 42501', 'A directory adds teams to its company alone.');
select is(test.each_directory('select from app.directory_group_member'), 'acme 1, umbrella 0',
  'A directory sees who is in its teams alone.');
select is(test.each_directory('delete from app.directory_group_member'), 'acme 1, umbrella 0',
  'A directory takes people out of its teams alone.');
select is(
  test.each_directory($$ insert into app.directory_group_member values (test.acme(), test.acme(), gen_random_uuid()) $$),
  'acme 23503, umbrella 42501', 'A directory puts its own users into its own teams.');
select is(test.each('select from app.directory_email'), test.nobody(), 'No person reads by which addresses people are found.');
select is(test.each_directory('select from app.directory_email'), 'acme 1, umbrella 0', 'A directory finds its users alone.');
select is(test.each_directory('select from app.directory_email', 'breathmaster_worker'), 'acme 1, umbrella 0',
  'What follows a directory keeps the addresses of its users alone.');
select is(
  test.each_directory($$ insert into app.directory_email select test.acme(), 'x', directory_user_id from app.directory_user $$,
    'breathmaster_worker'),
  'acme 1, umbrella 0', 'And adds to those alone.');
select is(test.each('select from app.directory_tally'), test.nobody(), 'No person reads how many a directory has.');
select is(test.each_directory('select from app.directory_tally where users > 0'), 'acme 1, umbrella 0',
  'A directory sees how many it has, and not how many another has.');
select is(test.each_directory('select from app.directory_tally where users > 0', 'breathmaster_worker'), 'acme 1, umbrella 0',
  'What follows a directory counts it alone.');
select is(test.each_directory('update app.directory_tally set users = 0'), 'acme 42501, umbrella 42501',
  'The server does not count by itself.');
select is(test.each_directory('select from app.directory_leaver'), 'acme 42501, umbrella 42501',
  'The server does not read who has left.');
select is(test.each_directory($$ update app.directory_user set declined = false $$), 'acme 42501, umbrella 42501',
  'Whether somebody has left by themself is not for the directory to say.');
select is(test.each_directory('select from app.domain_claim'), 'acme 42501, umbrella 42501',
  'A key shows no domains, which are bound to a member.');

-- The functions that follow a directory see of people what they need, in that company.
select is(test.each_directory('select from app.directory_user', 'breathmaster_worker'), 'acme 1, umbrella 0',
  'What follows a directory sees its users alone.');
select is(test.each_directory('select from app.directory_leaver', 'breathmaster_worker'), 'acme 1, umbrella 0',
  'What follows a directory sees those alone who left its company.');
select is(test.each_directory('insert into app.directory_leaver values (test.acme(), sha256(''x''))', 'breathmaster_worker'),
  'acme 1, umbrella 42501', 'What follows a directory remembers those alone who left its company.');
select is(test.each_directory('select uid from app.member', 'breathmaster_worker'), 'acme 2, umbrella 1',
  'What follows a directory sees its company''s members alone.');
select is(test.each_directory('delete from app.member where uid <> test.ada()', 'breathmaster_worker'), 'acme 1, umbrella 1',
  'What follows a directory ends memberships in its company alone.');
select is(
  test.each_directory($$ insert into app.member (organization_id, uid, role, agreed_at) values (test.acme(), test.frank(), 'member', null) $$,
    'breathmaster_worker'),
  'acme 1, umbrella 42501', 'What follows a directory makes members of its company alone.');
select is(test.each_directory('select uid from app.email_claim', 'breathmaster_worker'), 'acme 2, umbrella 1',
  'What follows a directory sees addresses in its company''s domains alone.');
select is(test.each_directory('select organization_id from app.organization', 'breathmaster_worker'), 'acme 1, umbrella 1',
  'What follows a directory sees its company alone.');
select is(test.each_directory('select domain from app.domain_claim', 'breathmaster_worker'), 'acme 1, umbrella 1',
  'What follows a directory sees its company''s domains alone.');
reset role;
select is(test.each('select domain from app.domain_claim', 'breathmaster_boards'),
  'herself 1, colleague 1, friend 0, other company 1, stranger 0, unbound 42501',
  'A company is found by an address in its domain, and by no other (policy domain_claim_addressed).');

-- Who becomes a member. Dana has shown an address of Acme's to be hers and has not joined; she shares her
-- practice with her company, once she has one.

call test.enter('Dana', false, false, true);
call test.practise(500);
call test.enter('Elsewhere', false, false, true);
reset role;
create function test.dana() returns uuid language sql stable as $$ select test.known('dana') $$;
create function test.elsewhere() returns uuid language sql stable as $$ select test.known('elsewhere') $$;
set local role breathmaster_owner;
do $$ begin
  perform app.record_email(test.dana(), 'Dana@Acme.example');
  perform app.record_email(test.elsewhere(), 'e@elsewhere.example');
end $$;
reset role;

create function test.membership(who uuid, company uuid default test.acme()) returns text language sql as $$
  select coalesce(
    (select case when agreed_at is null then 'put in' else 'agreed' end || case when directory_user_id is null then '' else ', known' end
     from app.member where organization_id = company and uid = who),
    'none')
$$;
-- As the server does it: having seen what the company would see.
create function test.join() returns void language sql as $$
  select app.join_organization(test.acme(), app.joining_agreement(test.acme(), '2026-03-06 12:00Z'), test.origin())
$$;
create procedure test.change(called text, is_active boolean) language sql as $$
  update app.directory_user set active = is_active where user_key = called
$$;

select is(test.membership(test.ben()), 'agreed', 'Who joined by themself has agreed.');
call test.be_directory(test.acme());
call test.provision('ben@acme.example');
call test.provision('DANA@acme.example');
call test.provision('e@elsewhere.example');
call test.provision('eve@umbrella.example');
reset role;
select is(test.membership(test.ben()), 'agreed, known', 'The directory knows a member again, and takes no agreement away.');
select is(test.membership(test.dana()), 'put in, known', 'Who has shown the address to be theirs is put in.');
call test.be(test.ada(), test.acme());
select is((select string_agg(display_name, ', ' order by display_name) from board.member where organization_id = test.acme()),
  'Ada, Ben', 'Whose account an address is, no admin is told before its person agrees.');
reset role;
select is(test.membership(test.elsewhere()), 'none', 'An address outside of the proved domains makes nobody a member.');
select is(test.membership(test.eve()), 'none', 'Nor does one in the domain of another company.');

-- Nothing of hers is shown, whatever writes the board.
call test.be(test.dana(), test.acme());
call test.practise(600);
update app.user set share_streaks = false;
update app.user set share_streaks = true;
call test.be(test.ada(), test.acme());
select is(test.names_on('company'), 'Ada, Ben', 'Who has not agreed is on no board of the company.');
call test.be(test.dana(), test.acme());
do $$ begin perform test.join(); end $$;
call test.be(test.ada(), test.acme());
select is(test.names_on('company'), 'Ada, Ben, Dana', 'Who agrees is on it, at once.');
select is(test.each($$ update app.member set agreed_at = now() where uid = test.dana() $$),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'Nobody agrees without having seen to what, nor for somebody else.');

-- Somebody whom the directory has twice, and the one who owns the company.
call test.be_directory(test.acme());
call test.provision('benjamin@elsewhere.example');
update app.directory_user set emails = '[{"value": "ben@acme.example", "type": "work"}]' where user_key = 'benjamin@elsewhere.example';
call test.change('ben@acme.example', false);
reset role;
select is(test.membership(test.ben()), 'agreed, known', 'Who is in a directory twice stays while one of the entries is active.');
call test.be_directory(test.acme());
call test.change('ben@acme.example', true);
delete from app.directory_user where user_key = 'benjamin@elsewhere.example';
reset role;
select is(test.membership(test.ben()), 'agreed, known', 'And stays while one of them is there.');
call test.be_directory(test.acme());
call test.provision('ada@acme.example');
call test.change('ada@acme.example', false);
reset role;
select is(test.membership(test.ada()), 'agreed', 'A directory knows no owner, and ends no owner''s membership');
call test.be_directory(test.acme());
delete from app.directory_user where user_key = 'ada@acme.example';
reset role;
select is(test.membership(test.ada()), 'agreed', 'in any way.');

-- The leaver: at once, everywhere, and not by the door of the domain again.
call test.be_directory(test.acme());
call test.change('dana@acme.example', false);
call test.change('ben@acme.example', false);
reset role;
select is(test.membership(test.dana()), 'none', 'Whom the directory deactivates is a member no longer.');
select is(test.membership(test.ben()), 'none', 'Nor is one who had joined by themself.');
select is((select count(*) from app.company_standing where uid in (test.dana(), test.ben())), 0::bigint,
  'Of whom the directory deactivates no row of a board is left.');
select is((select count(*) from app.standing where uid = test.dana() and period = '2026-W10'), 1::bigint, 'Their practice is theirs.');
call test.be(test.dana());
select throws_ok('select test.join()', 'BM404',
  'the directory of that organization has ended this user''s membership', 'Who was deactivated does not join by the domain.');
select is(app.organization_id(), null, 'A refused joining leaves nobody bound to the company.');
select throws_ok('select app.key_organization_id()', '42501', null, 'Nor to its key.');
set local role breathmaster_owner;
select app.record_email(test.dana(), 'alias@acme.example');
call test.be(test.dana());
select throws_ok('select test.join()', 'BM404',
  'the directory of that organization has ended this user''s membership', 'Nor by another address of theirs.');
call test.be_directory(test.acme());
call test.change('dana@acme.example', true);
reset role;
select is(test.membership(test.dana()), 'put in, known', 'Who is activated again is put in again, and asked again.');

-- Leaving by oneself is respected by the next sync.
call test.be(test.dana());
do $$ begin perform app.end_membership(test.acme(), test.dana(), test.origin()); end $$;
call test.be_directory(test.acme());
call test.change('dana@acme.example', true);
reset role;
select is(test.membership(test.dana()), 'none', 'Who left is not brought back by the directory.');
call test.be(test.dana());
do $$ begin perform test.join(); end $$;
reset role;
select is(test.membership(test.dana()), 'agreed, known', 'They come back by themself.');
select is((select declined from app.directory_user where user_key = 'dana@acme.example'), false, 'And have declined no longer.');

-- Deleted: the same, and the same for good.
call test.be_directory(test.acme());
delete from app.directory_user where user_key = 'dana@acme.example';
reset role;
select is(test.membership(test.dana()), 'none', 'Whom the directory deletes is a member no longer.');
call test.be(test.dana());
select throws_ok('select test.join()', 'BM404',
  'the directory of that organization has ended this user''s membership', 'Who was deleted does not join by the domain.');
call test.be_directory(test.acme());
call test.provision('dana@acme.example');
reset role;
select is(test.membership(test.dana()), 'put in, known', 'Who is provisioned anew is put in.');
call test.be_directory(test.acme());
update app.directory_user set emails = '[{"value": "dana@elsewhere.example", "type": "work"}]' where user_key = 'dana@acme.example';
reset role;
select is(test.membership(test.dana()), 'none', 'Whose address moves out of the proved domains is a member no longer.');
-- Whom the directory knows it knows, also when they have taken their address back since.
call test.be_directory(test.acme());
update app.directory_user set emails = '[]' where user_key = 'dana@acme.example';
reset role;
select is(test.membership(test.dana()), 'put in, known', 'Whose address moves back is put in.');
delete from app.email_claim where uid = test.dana();
call test.be_directory(test.acme());
delete from app.directory_user where user_key = 'dana@acme.example';
reset role;
select is(test.membership(test.dana()), 'none', 'Who has taken their address back is let go like everybody.');
-- The company's word counts in its domains alone: who came by another way stays.
call test.be_directory(test.acme());
call test.provision('e2@elsewhere.example');
reset role;
insert into app.member (organization_id, uid, role, agreed_at) values (test.acme(), test.elsewhere(), 'member', null);
call test.be_directory(test.acme());
call test.change('e@elsewhere.example', false);
reset role;
select is(test.membership(test.elsewhere()), 'put in', 'Outside of its domains the directory ends no membership.');

-- The address after the entry, and the domain after both.
set local role breathmaster_owner;
select app.record_email(test.stranger(), 'Cara@acme.example');
reset role;
select is(test.membership(test.stranger()), 'put in, known', 'Who shows an address that the directory has is put in.');
set local role breathmaster_owner;
select app.record_email(test.frank(), 'frank@later.example');
reset role;
call test.be_directory(test.umbrella());
call test.provision('frank@later.example');
reset role;
select is(test.membership(test.frank(), test.umbrella()), 'none', 'A domain that is not proved yet makes nobody a member.');
insert into app.domain_claim (organization_id, domain) values (test.umbrella(), 'later.example');
select is(test.membership(test.frank(), test.umbrella()), 'none', 'Nor does one that is only claimed.');
update app.domain_claim set proved_at = now() where domain = 'later.example';
select is(test.membership(test.frank(), test.umbrella()), 'put in, known', 'When it is proved, the directory''s people are put in.');

select set_eq(
  $$ select organization_id, email_key, directory_user_id from app.directory_email $$,
  $$ select organization_id, lower(email ->> 'value'), directory_user_id
     from app.directory_user, jsonb_array_elements(emails) as given (email) $$,
  'By whichever address, everybody is found, and nobody by one that was.');
select is((select sum(users) from app.directory_tally), (select count(*) from app.directory_user)::numeric,
  'However many came and went, they are counted.');

-- What somebody is known by.
select is(app.directory_address('ada', '[]'), null, 'A name that is no address is none.');
select is(app.directory_address('Ada@Acme.example', '[]'), 'ada@acme.example', 'A name that is one is one, in lower case.');
select is(app.directory_address('ada@a.example', '[{"value": "h@a.example", "type": "home"}, {"value": "w@a.example", "type": "Work"}]'),
  'w@a.example', 'The address of work comes before others.');
select is(
  app.directory_address('a', '[{"value": "w@a.example", "type": "work"}, {"value": "p@a.example", "type": "home", "primary": true}]'),
  'p@a.example', 'The primary one comes before that.');

-- A company that goes takes its directory with it, and keeps no list of those it had.
delete from app.organization where organization_id = test.acme();
select is(
  (select count(*) from app.directory_user where organization_id = test.acme())
    + (select count(*) from app.directory_leaver where organization_id = test.acme())
    + (select count(*) from app.directory_group where organization_id = test.acme()), 0::bigint,
  'Deleting a company deletes its directory.');

select * from finish();
rollback;
