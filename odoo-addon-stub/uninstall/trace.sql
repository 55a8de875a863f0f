-- What an addon can leave in a database, one line each. Documents and the customers' mails are not of the addon.
SELECT 'table ' || tablename FROM pg_tables WHERE schemaname = 'public'
UNION ALL SELECT 'index ' || indexname FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'column ' || table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || conname FROM pg_constraint
UNION ALL SELECT 'sequence ' || sequencename FROM pg_sequences
UNION ALL SELECT 'view ' || viewname FROM pg_views WHERE schemaname = 'public'
UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'model ' || model FROM ir_model
UNION ALL SELECT 'field ' || model || '.' || name FROM ir_model_fields
UNION ALL SELECT 'name ' || module || '.' || name FROM ir_model_data WHERE module LIKE 'saas%' OR name LIKE '%saas%'
UNION ALL SELECT 'user ' || login FROM res_users
UNION ALL SELECT 'API key ' || name FROM res_users_apikeys
UNION ALL SELECT 'partner ' || coalesce(name, '') FROM res_partner
UNION ALL SELECT 'group ' || (name ->> 'en_US') FROM res_groups
UNION ALL SELECT 'rule ' || name FROM ir_rule
UNION ALL SELECT 'cron ' || cron_name FROM ir_cron
UNION ALL SELECT 'parameter ' || key FROM ir_config_parameter
UNION ALL SELECT 'default of ' || f.model || '.' || f.name FROM ir_default d JOIN ir_model_fields f ON f.id = d.field_id
UNION ALL SELECT 'action ' || (name ->> 'en_US') FROM ir_actions
UNION ALL SELECT 'menu ' || (name ->> 'en_US') FROM ir_ui_menu
UNION ALL SELECT 'ui view ' || coalesce(key, name) || ' ' || active FROM ir_ui_view
UNION ALL SELECT 'asset ' || path FROM ir_asset
UNION ALL SELECT 'filter of ' || model_id FROM ir_filters
UNION ALL SELECT 'attachment of ' || coalesce(res_model, '') || ' ' || coalesce(url, name)
            FROM ir_attachment WHERE res_model LIKE 'saas%' OR url LIKE '%saas%'
UNION ALL SELECT 'message of ' || model FROM mail_message WHERE model LIKE 'saas%'
UNION ALL SELECT 'follower of ' || res_model FROM mail_followers WHERE res_model LIKE 'saas%'
UNION ALL SELECT 'activity of ' || res_model FROM mail_activity
UNION ALL SELECT 'activity type ' || (name ->> 'en_US') FROM mail_activity_type
UNION ALL SELECT 'page ' || url FROM website_page
UNION ALL SELECT 'website menu ' || coalesce(url, '') || ' ' || (name ->> 'en_US') FROM website_menu
ORDER BY 1;
