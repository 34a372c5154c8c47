#include "src/security/security_file.h"
int bondy_file_prepare(const struct bondy_edit *edit, const struct bondy_store_view *view,
                       const json_t *document, enum bondy_file_mode mode, struct bondy_file *out,
                       json_t **problem){return -1;}
int bondy_file_apply(struct bondy_edit *edit, struct bondy_file *file){return -1;}
int bondy_file_apply_realm(struct bondy_edit *edit, struct bondy_file *file, size_t index){return -1;}
void bondy_file_fini(struct bondy_file *file){}
#include "src/security/export.h"
json_t *bondy_export_realm(const struct bondy_store_view *view, const struct bondy_realm *realm,
                           const struct bondy_export_options *options){return 0;}
json_t *bondy_export_user(const struct bondy_user *user){return 0;}
int bondy_import_users(struct bondy_edit *edit, struct bondy_slice realm, const json_t *prepared,
                       json_t **counts, json_t **errors){return -1;}
