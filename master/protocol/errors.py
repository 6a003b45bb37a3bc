"""The registry of error codes: what each means on the wire, and whether it says what happened.

An answer is *definite* when its sender knows that what was asked for did not happen.
`INTERNAL_ERROR` is the one code that leaves it open: the failure may have come after a commit.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One code: its HTTP status, its usual message, and whether it is definite."""

    code: str
    status: int
    message: str = ""
    definite: bool = True


class ApiError(Exception):
    """A refusal that the caller of an endpoint gets to see.

    Args:
        code: a code of the registry.
        message: the text on the wire; the registry's own when left out.

    """

    def __init__(self, code: str, message: str | None = None) -> None:
        entry = REGISTRY[code]
        self.code = code
        self.status = entry.status
        self.message = entry.message if message is None else message
        super().__init__(f"{self.status} {code}: {self.message}")


def _table(*entries: tuple[str, int, str]) -> dict[str, ErrorCode]:
    return {
        code: ErrorCode(code, status, message, definite=code != "INTERNAL_ERROR")
        for code, status, message in entries
    }


REGISTRY: dict[str, ErrorCode] = _table(
    # conventions
    ("INTERNAL_ERROR", 500, "服务器内部错误"),
    ("INVALID_ID", 400, "参数 id 不合法"),
    ("INVALID_INPUT", 400, ""),
    ("NOT_FOUND", 404, "接口不存在"),
    # agents
    ("AGENT_ARTIFACT_INVALID", 400, ""),
    ("AGENT_ARTIFACT_INVALID_PATH", 400, ""),
    ("AGENT_ARTIFACT_RELAY_UNSUPPORTED", 400, ""),
    ("AGENT_COMMAND_FORBIDDEN", 401, "命令不属于当前节点"),
    ("AGENT_COMMAND_NOT_FOUND", 404, "命令不存在"),
    ("AGENT_COMMAND_TIMEOUT", 504, "等待 Agent 响应超时"),
    ("AGENT_STORAGE_TRANSFER_MODE_INVALID", 400, ""),
    ("AGENT_RESULT_INVALID", 500, "Agent 返回结果格式错误"),
    ("BACKUP_RECORD_FORBIDDEN", 401, "记录不属于当前节点"),
    ("BACKUP_RECORD_STATUS_INVALID", 400, "Agent 上报的备份状态无效"),
    ("BACKUP_RECORD_TERMINAL", 400, "备份记录已结束，不能继续上传产物"),
    ("BACKUP_STORAGE_QUOTA_EXCEEDED", 400, ""),
    ("BACKUP_STORAGE_TARGET_FORBIDDEN", 401, "存储目标不属于该任务"),
    ("BACKUP_TASK_FORBIDDEN", 401, "任务不属于当前节点"),
    ("NODE_INVALID_TOKEN", 401, "无效的节点认证令牌"),
    ("CONTENT_LENGTH_REQUIRED", 411, "artifact content length is required"),
    ("RESTORE_RECORD_FORBIDDEN", 401, "恢复记录不属于当前节点"),
    ("RESTORE_RECORD_TERMINAL", 400, "恢复记录已结束，不能继续下载产物"),
    # agents, in the strict profile alone
    ("AGENT_COMMAND_FINISHED", 409, "the command has ended otherwise: this result changes nothing"),
    ("AGENT_COMMAND_NOT_CLAIMED", 409, "nobody has claimed the command yet: it takes no result"),
    ("BACKUP_RECORD_FINISHED", 409, "the record has ended otherwise: this report changes nothing"),
    (
        "RESTORE_RECORD_FINISHED",
        409,
        "the restore has ended otherwise: this report changes nothing",
    ),
    ("RESTORE_RECORD_STATUS_INVALID", 400, "a restore is running, success or failed"),
    # who you are
    ("API_KEY_INVALID", 400, "API Key 参数不合法"),
    ("API_KEY_NOT_FOUND", 404, "API Key 不存在"),
    ("AUTH_2FA_REQUIRED", 401, "请输入验证码、恢复码或使用通行密钥"),
    ("AUTH_FORBIDDEN", 403, "当前角色无权执行此操作"),
    ("AUTH_HASH_FAILED", 500, "无法处理密码"),
    ("AUTH_INVALID_CREDENTIALS", 401, "用户名或密码错误"),
    ("AUTH_INVALID_SUBJECT", 401, "无效用户身份"),
    ("AUTH_INVALID_TOKEN", 401, "登录状态已失效，请重新登录"),
    ("AUTH_KEY_DISABLED", 401, "API Key 已被停用"),
    ("AUTH_KEY_EXPIRED", 401, "API Key 已过期"),
    ("AUTH_LOGIN_INVALID", 400, "登录参数不合法"),
    ("AUTH_PASSWORD_INVALID", 400, "参数不合法"),
    ("AUTH_RATE_LIMITED", 429, "登录尝试过于频繁，请稍后再试"),
    ("AUTH_REQUIRED", 401, "请先登录"),
    ("AUTH_SETUP_DISABLED", 409, "系统已初始化，请直接登录"),
    ("AUTH_SETUP_INVALID", 400, "初始化参数不合法"),
    ("AUTH_USER_DISABLED", 401, "账号已被管理员停用"),
    ("AUTH_USER_NOT_FOUND", 401, "当前用户不存在"),
    ("AUTH_WRONG_PASSWORD", 400, "旧密码不正确"),
    ("USER_HASH_FAILED", 500, "无法处理密码"),
    ("USER_INVALID", 400, "用户参数不合法"),
    ("USER_LAST_ADMIN", 400, "不能删除系统最后一个管理员"),
    ("USER_NOT_FOUND", 404, "用户不存在"),
    ("USER_USERNAME_EXISTS", 409, "用户名已存在"),
    # nodes
    ("NODE_BATCH_EMPTY", 400, "节点名列表不能为空"),
    ("NODE_BATCH_TOO_MANY", 400, "单次最多创建 50 个节点"),
    ("NODE_DELETE_LOCAL", 400, "无法删除本机节点"),
    ("NODE_DUPLICATE_NAME", 400, ""),
    ("NODE_FS_READ_ERROR", 400, ""),
    ("NODE_HAS_TASKS", 400, ""),
    ("NODE_INVALID", 400, "并发上限不能为负数"),
    ("NODE_NAME_TOO_LONG", 400, ""),
    ("NODE_NOT_FOUND", 404, "节点不存在"),
    ("NODE_OFFLINE", 400, "节点当前不在线，无法浏览其目录"),
    ("NODE_POOL_EMPTY", 400, ""),
    ("NODE_ROTATE_LOCAL", 400, "本机节点无需轮换 Token"),
    ("INSTALL_TOKEN_INVALID", 400, ""),
    ("INSTALL_TOKEN_RATE_LIMITED", 429, ""),
    # storage targets
    ("STORAGE_PROVIDER_UNSUPPORTED", 400, "不支持的存储类型"),
    ("STORAGE_TARGET_DECRYPT_FAILED", 500, "无法解密存储目标配置"),
    ("STORAGE_TARGET_IN_USE", 409, "当前存储目标已被备份任务引用，无法删除"),
    ("STORAGE_TARGET_INVALID", 400, "存储目标参数不合法"),
    ("STORAGE_TARGET_INVALID_CONFIG", 400, ""),
    ("STORAGE_TARGET_NAME_EXISTS", 409, "存储目标名称已存在"),
    ("STORAGE_TARGET_NOT_FOUND", 404, "存储目标不存在"),
    ("STORAGE_TARGET_TEST_FAILED", 400, ""),
    ("STORAGE_TARGET_TEST_INVALID", 400, "测试连接参数不合法"),
    ("STORAGE_TARGET_TYPE_IMMUTABLE", 400, "不支持直接修改存储目标类型"),
    # tasks and runs
    ("BACKUP_STORAGE_TARGET_INVALID", 400, "存储目标不存在"),
    ("BACKUP_STORAGE_TARGET_DECRYPT_FAILED", 500, "无法解密存储目标配置"),
    ("BACKUP_TASK_ALREADY_RUNNING", 400, ""),
    ("BACKUP_TASK_BATCH_INVALID", 400, "批量操作参数不合法"),
    ("BACKUP_TASK_DECODE_FAILED", 500, ""),
    (
        "BACKUP_TASK_DIFF_REMOTE_UNSUPPORTED",
        400,
        "差异备份当前仅支持本机 Master 执行，请将任务固定在本机或改用全量备份。",
    ),
    ("BACKUP_TASK_DIFF_UNSUPPORTED", 400, "差异备份仅支持文件目录类型任务"),
    ("BACKUP_TASK_INVALID", 400, "备份任务参数不合法"),
    ("BACKUP_TASK_NAME_EXISTS", 409, "备份任务名称已存在"),
    ("BACKUP_TASK_NOT_FOUND", 404, "备份任务不存在"),
    ("BACKUP_TASK_OUTSIDE_WINDOW", 400, ""),
    (
        "BACKUP_TASK_REMOTE_ENCRYPT_UNSUPPORTED",
        400,
        "远程节点暂不支持加密备份。请关闭加密，或将任务固定在 Master 本机执行。",
    ),
    (
        "BACKUP_TASK_REPOSITORY_REMOTE_UNSUPPORTED",
        400,
        "CDC 仓库模式当前采用单写者索引，仅支持 Master 本机执行。远程服务器备份请暂用全量模式。",
    ),
    (
        "BACKUP_TASK_REPOSITORY_REPLICATION_UNSUPPORTED",
        400,
        "CDC 仓库快照不能使用对象级复制；请直接为任务选择多个存储目标以生成完整仓库副本。",
    ),
    ("BACKUP_TASK_REPOSITORY_UNSUPPORTED", 400, "CDC 仓库模式仅支持文件目录类型任务"),
    ("BACKUP_TASK_SCHEDULE_FAILED", 500, "无法同步备份任务调度"),
    ("BACKUP_TASK_TOGGLE_INVALID", 400, "备份任务启停参数不合法"),
    # records
    ("BACKUP_CONTENTS_DECODE_FAILED", 500, "解析备份清单失败"),
    (
        "BACKUP_CONTENTS_UNAVAILABLE",
        422,
        "该备份未记录文件清单（仅文件类型的新全量备份支持内容浏览），请重新执行一次全量备份后再试。",
    ),
    ("BACKUP_RECORD_BATCH_INVALID", 400, "批量删除参数不合法"),
    ("BACKUP_RECORD_CROSS_NODE_LOCAL_DISK", 400, ""),
    ("BACKUP_RECORD_DELETE_FAILED", 500, "无法删除备份文件"),
    ("BACKUP_RECORD_DOWNLOAD_FAILED", 500, "无法下载备份文件"),
    ("BACKUP_RECORD_FILTER_INVALID", 400, ""),
    ("BACKUP_RECORD_HAS_DEPENDENTS", 400, ""),
    ("BACKUP_RECORD_LOCKED", 400, "该备份已保留锁定（法律保留），请先解锁再删除"),
    ("BACKUP_RECORD_LOCK_INVALID", 400, "锁定参数不合法"),
    ("BACKUP_RECORD_NOT_FOUND", 404, "备份记录不存在"),
    ("RESTORE_RECORD_FILTER_INVALID", 400, ""),
    ("RESTORE_RECORD_NOT_FOUND", 404, "恢复记录不存在"),
    ("RESTORE_SELECTIVE_REMOTE_UNSUPPORTED", 400, "按需恢复当前仅支持本机 Master 执行"),
    ("RESTORE_SELECTIVE_UNSUPPORTED", 400, "按需（选择性）恢复仅支持文件类型备份"),
    ("RESTORE_SOURCE_INVALID", 400, "只能恢复状态为成功的备份记录"),
    ("RESTORE_TARGET_INVALID", 400, "恢复目录必须是绝对路径"),
    ("RESTORE_TARGET_REMOTE_UNSUPPORTED", 400, "远程节点恢复暂不支持指定目录，请在该节点本地操作"),
    ("RESTORE_TARGET_UNSUPPORTED", 400, "仅文件类型备份支持恢复到指定目录"),
    ("AUDIT_FILTER_INVALID", 400, ""),
    # discovery
    ("DATABASE_DISCOVER_FAILED", 400, ""),
    ("DATABASE_DISCOVER_INVALID", 400, "数据库发现参数不合法"),
    # the reference master's own: it never runs backups itself, and says so
    (
        "MASTER_LOCAL_UNSUPPORTED",
        400,
        "the reference master runs nothing on its own node: bind the task to a remote node",
    ),
)
