SELECT count(*) AS contacts FROM found
