<?php
// Codifies as a PHP host would; the comment says what goes wrong meanwhile. "requests" lists who was codified and when.
ini_set('display_errors', '1');
ignore_user_abort(true);
$said = json_decode(file_get_contents('php://input'), true);
$log = __DIR__ . '/requests';
$who = $said['customer_id'];
file_put_contents($log, sprintf("%.6f +1 %s %s\n", microtime(true), $who, $_SERVER['REMOTE_PORT']), FILE_APPEND);
[$what, $seconds] = array_pad(explode(' ', $said['comment'] . ' '), 2, '0');
usleep((int) (1e6 * (float) $seconds) ?: 2000);
$words = '{"code": 202, "error": null, "msg": "customer_id ' . $who . ' has been coded"}';
switch ($what) {
    case 'notice':
        echo $undefined;
        break;
    case 'latin1':
        $words = utf8_decode('{"code": 202, "error": null, "msg": "código añadido"}');
        break;
    case 'latin1_422':
        header('Content-Type: application/json; charset=ISO-8859-1');
        $words = utf8_decode('{"code": 422, "error": null, "msg": "El código de gestión no es válido"}');
        break;
    case 'gzip':
        header('Content-Encoding: gzip');
        $words = gzencode($words);
        break;
    case 'float':
        $words = str_replace('202', '202.0', $words);
        break;
    case 'in_words':
        $words = '{"code": "", "error": "CAMPAIGN NOT FOUND", "msg": null}';
        break;
    case 'line_feed':
        $words = '{"code": 202, "error": null, "msg": "has been' . "\n" . 'coded"}';
        break;
    case 'status':
        http_response_code((int) $seconds);
        break;
}
file_put_contents($log, sprintf("%.6f -1 %s %s\n", microtime(true), $who, $_SERVER['REMOTE_PORT']), FILE_APPEND);
echo $words;
