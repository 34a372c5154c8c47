# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += api-specs/admin.json contrib/embed
EXTRA_DIST += api-specs/schema/api-spec.schema.json
