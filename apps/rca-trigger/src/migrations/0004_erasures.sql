-- An erasure of personal data takes the texts of comments, too.
grant update (text) on rca_trigger.recommendation_comments to tocsin_pipeline;
