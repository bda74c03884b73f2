-- 0008_check: connection checks and their last answers
SELECT schema_step('0008_check', '0007_semantics', 'connection checks and their last answers');
